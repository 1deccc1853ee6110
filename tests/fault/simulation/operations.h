// What an application does to its memories: one random change of the source after another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/fault/simulation/database.h"
#include "tests/fault/simulation/dice.h"
#include "tidemark/capture.h"

namespace tidemark::simulation {

// One thread at a time.
class Operations {
 public:
  // `folder`: where copies of the source are kept, to be restored.
  Operations(Database& source, std::string folder);

  // From now on changes of the log are among the changes, too.
  void capture(Dice& dice);
  // As a pushing client would if no guard trigger kept it from doing so.
  void erase_newest_log_entry();

  // Makes one change and says what it was. `during_pass`: none that replaces the file, since the
  // pass has it open.
  std::string change(Dice& dice, const State& now, bool during_pass);

 private:
  struct Kind {
    const char* name;
    std::size_t weight;
    std::string (Operations::*make)(Dice&, const State&);
  };
  static const std::vector<Kind>& kinds();

  std::string insert(Dice& dice, const State& now);
  std::string insert_odd_key(Dice& dice, const State& now);
  std::string bulk_insert(Dice& dice, const State& now);
  std::string edit(Dice& dice, const State& now);
  std::string re_date(Dice& dice, const State& now);
  std::string re_parent(Dice& dice, const State& now);
  std::string change_key(Dice& dice, const State& now);
  std::string update_or_ignore(Dice& dice, const State& now);
  std::string upsert(Dice& dice, const State& now);
  std::string replace(Dice& dice, const State& now);
  std::string erase(Dice& dice, const State& now);
  std::string erase_all(Dice& dice, const State& now);
  std::string write_unlogged(Dice& dice, const State& now);
  std::string add_column(Dice& dice, const State& now);
  std::string toggle_index(Dice& dice, const State& now);
  std::string recreate(Dice& dice, const State& now);
  std::string rename(Dice& dice, const State& now);
  std::string save_copy(Dice& dice, const State& now);
  std::string push_log(Dice& dice, const State& now);
  std::string install(Dice& dice, const State& now);
  std::string prune(Dice& dice, const State& now);
  std::string remove(Dice& dice, const State& now);
  std::string restore(Dice& dice, const State& now);
  std::string replace_file(Dice& dice, const State& now);

  std::string administer(CaptureAction action, Dice& dice);
  std::string insert_with(Dice& dice, const State& now, const std::string& verb,
                          const std::string& tail);

  Database& source_;
  const std::string folder_;
  std::size_t copies_ = 0;
  bool captures_ = false;
  bool renews_ = false;  // the next install does
  std::size_t added_columns_ = 0;
};

}  // namespace tidemark::simulation
