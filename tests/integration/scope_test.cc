// What the built program lists is the scope, row for row and column for column, as SQL has it:
// from the file, and the same bytes from the server.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/serving.h"
#include "tests/support/program.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using support::Said;

std::string base64(const std::string& bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += kDigits[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += kDigits[bits << (6 - held) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

Json real(double number) {
  if (std::isnan(number)) return {{"real", "nan"}};
  if (std::isinf(number)) return {{"real", number > 0 ? "inf" : "-inf"}};
  return number;
}

std::string bytes_of(sqlite3_stmt* row, int column) {
  const void* const data = sqlite3_column_blob(row, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  return data == nullptr ? "" : std::string(static_cast<const char*>(data), size);
}

// One value by the rules of tidemark/row.h.
Json plain(sqlite3_stmt* row, int column) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER: {
      const std::int64_t number = sqlite3_column_int64(row, column);
      if (number > kExact || number < -kExact) return {{"int64", std::to_string(number)}};
      return number;
    }
    case SQLITE_FLOAT:
      return real(sqlite3_column_double(row, column));
    case SQLITE_TEXT:
      return bytes_of(row, column);
    case SQLITE_BLOB:
      return {{"base64", base64(bytes_of(row, column))}};
    default:
      return nullptr;
  }
}

std::vector<float> floats_of(const std::string& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

Json array_of(const std::vector<float>& floats) {
  Json array = Json::array();
  for (const float number : floats) array.push_back(real(static_cast<double>(number)));
  return array;
}

// A vector in JSON text, e.g. "[1,2.5]"; nothing where it is none.
std::optional<std::vector<float>> text_vector(sqlite3_stmt* row, int column) {
  if (sqlite3_column_type(row, column) != SQLITE_TEXT) return std::nullopt;
  const Json json = Json::parse(bytes_of(row, column), nullptr, false);
  if (!json.is_array()) return std::nullopt;
  return json.get<std::vector<float>>();
}

Json row_json(sqlite3_stmt* row) {
  Json json = Json::object();
  std::optional<std::vector<float>> from_text;
  std::optional<std::vector<float>> from_blob;
  bool has_blob = false;
  for (int i = 0; i < sqlite3_column_count(row); ++i) {
    const std::string name = sqlite3_column_name(row, i);
    if (name == "embedding_data") from_text = text_vector(row, i);
    if (name != "embedding_vector") continue;
    has_blob = sqlite3_column_type(row, i) != SQLITE_NULL;
    if (sqlite3_column_bytes(row, i) > 0) from_blob = floats_of(bytes_of(row, i));
  }
  for (int i = 0; i < sqlite3_column_count(row); ++i) {
    const std::string name = sqlite3_column_name(row, i);
    if (name == "embedding_vector" && from_blob) {
      json[name] = array_of(*from_blob);
    } else if (name == "embedding_data" && from_text && !has_blob) {
      json[name] = array_of(*from_text);
    } else if (name != "embedding_data" || !from_text || from_text != from_blob) {
      json[name] = plain(row, i);
    }
  }
  return json;
}

struct Wanted {
  std::string collection;
  std::string sql;  // the scope; the first column is the key
};

// The lines that `tidemark list` owes.
std::string lines_of(const std::string& database, const Wanted& wanted) {
  sqlite3* db = nullptr;
  sqlite3_stmt* row = nullptr;
  EXPECT_EQ(sqlite3_open(database.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_prepare_v2(db, wanted.sql.c_str(), -1, &row, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  std::string lines;
  while (sqlite3_step(row) == SQLITE_ROW) {
    const Json json = row_json(row);  // before the key is read as text, which converts it
    Json line = {{"collection", wanted.collection}, {"key", bytes_of(row, 0)}, {"row", json}};
    lines += line.dump() + "\n";
  }
  sqlite3_finalize(row);
  sqlite3_close(db);
  return lines;
}

// Numbers that are not whole, so that text and float must round alike.
std::string vector_text(std::size_t dimension, std::size_t seed) {
  Json array = Json::array();
  for (std::size_t i = 0; i < dimension; ++i) {
    array.push_back(static_cast<double>(i * 37 % 101 + seed) / 64.0 - 0.75);
  }
  return array.dump();
}

std::string vector_blob(std::size_t dimension, std::size_t seed) {
  std::ostringstream sql;
  sql << "x'" << std::hex;
  for (const auto& number : Json::parse(vector_text(dimension, seed))) {
    const auto narrow = number.get<float>();
    unsigned char bytes[sizeof narrow];
    std::memcpy(bytes, &narrow, sizeof narrow);
    for (const unsigned char byte : bytes) sql << (byte < 16 ? "0" : "") << unsigned{byte};
  }
  sql << "'";
  return sql.str();
}

class Scope : public ::testing::Test {
 protected:
  Scope() { source_.run("PRAGMA journal_mode=WAL"); }

  Said run(std::vector<std::string> words) {
    return support::run_program(TIDEMARK_PROGRAM, std::move(words), folder_.file(""), {});
  }
  void expect_lists(const std::string& name, const std::string& url, const std::string& episodes,
                    const std::vector<Wanted>& wanted) {
    const std::string cache = folder_.file(name + ".redb");
    const Said synced = run({"--json", "sync", "--source", url, "--cache", cache,
                             "--max-episodes-cache", episodes, "--batch-size", "7"});
    ASSERT_EQ(synced.exit, 0) << synced.out << synced.err;
    for (const Wanted& one : wanted) {
      const Said listed = run({"list", "--cache", cache, one.collection});
      EXPECT_EQ(listed.exit, 0) << listed.err;
      const std::string truth = lines_of(database_, one);
      EXPECT_FALSE(truth.empty()) << one.collection;
      std::istringstream got(listed.out);
      std::istringstream owed(truth);
      std::string a;
      std::string b;
      for (int line = 1; std::getline(owed, b); ++line) {
        ASSERT_TRUE(std::getline(got, a)) << name << " " << one.collection << " ends at " << line;
        ASSERT_EQ(a, b) << name << " " << one.collection << " line " << line;
      }
      EXPECT_EQ(listed.out, truth) << name << " " << one.collection;
    }
  }
  // From the file, then from the server on a copy of it.
  void expect_lists(const std::string& episodes, const std::vector<Wanted>& wanted) {
    const std::string copy = folder_.file("served.db");
    source_.run("VACUUM INTO '" + copy + "'");
    expect_lists("file", "file:" + database_, episodes, wanted);
    const support::TursoServer server(copy);
    expect_lists("server", server.url(), episodes, wanted);
  }

  support::TempFolder folder_;
  const std::string database_ = folder_.file("source.db");
  support::SqliteSource source_{database_};
};

// An embeddings table's rows whose parent is in the scope.
std::string embeddings_of(const std::string& table, const std::string& window) {
  return "SELECT * FROM " + table +
         " WHERE (lower(item_type) = 'episode' AND item_id IN "
         "(SELECT episode_id " +
         window +
         ")) OR (lower(item_type) IN ('pattern','patterns') AND "
         "item_id IN (SELECT pattern_id FROM patterns)) ORDER BY embedding_id";
}

TEST_F(Scope, of_the_reference_schema_is_listed_as_sql_has_it) {
  source_.run(support::kReferenceSchema);
  source_.run(support::kReferenceRows);
  source_.run("ALTER TABLE episodes ADD COLUMN anything");  // keeps each value's own type
  const auto put = [&](const std::string& key, double value) {
    source_.insert("UPDATE episodes SET anything = ? WHERE episode_id = '" + key + "'", value);
  };
  put("ep-0999", std::numeric_limits<double>::infinity());
  put("ep-0998", -std::numeric_limits<double>::infinity());
  put("ep-0997", -0.0);
  put("ep-0996", 5e-324);
  put("ep-0995", 0.1);
  put("ep-0994", 1.7976931348623157e308);
  put("ep-0993", 3.0);
  source_.run(
      "UPDATE episodes SET anything = x'' WHERE episode_id = 'ep-0992';"
      "UPDATE episodes SET anything = '' WHERE episode_id = 'ep-0991';"
      "UPDATE episodes SET anything = -9223372036854775807 - 1 WHERE episode_id = 'ep-0990';"
      "UPDATE episodes SET anything = 9007199254740992 WHERE episode_id = 'ep-0988';"
      "UPDATE episodes SET anything = x'00ff10' WHERE episode_id = 'ep-0987';"
      "UPDATE episodes SET anything = 'x' || char(0) || '😀\\\"' || char(31, 127, 8232) "
      "WHERE episode_id = 'ep-0986'");
  source_.run("UPDATE embeddings_384 SET embedding_vector = " + vector_blob(384, 1) +
              " WHERE embedding_id = 'em-0998'");
  source_.run("UPDATE embeddings_384 SET embedding_vector = " + vector_blob(384, 2) +
              ", embedding_data = '" + vector_text(384, 2) + "' WHERE embedding_id = 'em-0997'");
  source_.run("UPDATE embeddings_384 SET embedding_vector = NULL, embedding_data = '" +
              vector_text(384, 3) + "' WHERE embedding_id = 'em-0996'");
  source_.run("UPDATE embeddings_384 SET embedding_vector = " + vector_blob(384, 4) +
              ", embedding_data = '" + vector_text(384, 5) + "' WHERE embedding_id = 'em-0995'");
  source_.run(
      "UPDATE embeddings_384 SET embedding_data = 'not a vector' "
      "WHERE embedding_id = 'em-0994'");
  const std::string window = "FROM episodes ORDER BY start_time DESC, episode_id DESC LIMIT 300";
  expect_lists("300", {{"episodes", "SELECT * " + window},
                       {"patterns", "SELECT * FROM patterns ORDER BY pattern_id"},
                       {"heuristics", "SELECT * FROM heuristics ORDER BY heuristic_id"},
                       {"embeddings_384", embeddings_of("embeddings_384", window)},
                       {"embeddings_other", embeddings_of("embeddings_other", window)}});
}

TEST_F(Scope, of_a_simple_episodes_table_is_listed_as_sql_has_it) {
  source_.run(
      "CREATE TABLE episodes(id INTEGER PRIMARY KEY, timestamp INTEGER, note TEXT, score REAL);"
      "INSERT INTO episodes WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
      "WHERE i < 150) SELECT i, i / 4, CASE WHEN i % 5 = 0 THEN NULL ELSE 'note ' || i END, i / "
      "3.0 "
      "FROM c");
  const std::string window = "FROM episodes ORDER BY timestamp DESC, id DESC LIMIT 100";
  expect_lists("100", {{"episodes", "SELECT * " + window}});
}

}  // namespace
}  // namespace tidemark
