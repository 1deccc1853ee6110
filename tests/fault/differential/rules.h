// Where tursodb 0.6.0 is not SQLite. Each rule keeps one thing out of what both are asked to do.
#pragma once

namespace tidemark::differential {

// "WITHOUT ROWID tables are an experimental feature": the server's table has a rowid, SQLite's has
// none. Such a table stays in scan mode, so the modes of both sides are not compared once capture
// is there.
inline constexpr bool kServerHasWithoutRowid = false;

// It makes U+FFFD of bytes that are not UTF-8 in what it runs: such texts are written by SQLite,
// into the file that the server then begins with.
// It also keeps the sign of -0.0 in columns where SQLite stores 0.
inline constexpr bool kServerWritesOddValues = false;

// ALTER TABLE forgets declared sizes in the SQL that it stores anew: F32_BLOB(2) becomes F32_BLOB.
// A table with a vector gets no new column.
inline constexpr bool kServerKeepsSizesOverAlter = false;

}  // namespace tidemark::differential
