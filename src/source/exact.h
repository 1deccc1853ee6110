// Asking for a statement's rows in a form that loses nothing on the way.
//
// JSON has no infinities and no bytes that are not UTF-8, so a Hrana server's rows may lack the
// sign of the one and the bytes of the other (RowSet::inexact). Texts then come as blobs, and each
// value brings its class and whether it is positive.
#pragma once

#include <cstddef>

#include "model/row_set.h"
#include "turso/connection.h"

namespace tidemark::source {

// The same rows, each of the `columns` columns followed by its class and sign.
[[nodiscard]] turso::Statement exact_statement(const turso::Statement& statement,
                                               std::size_t columns);
// Back to the plain form. Errors: unavailable, when the reply has another form.
[[nodiscard]] Result<model::RowSet> read_exact(const model::RowSet& rows);

}  // namespace tidemark::source
