#pragma once

#include <cstddef>

#include "apps/cli/session.hpp"

namespace iotsky::apps::cli {

/// Tells how far bulk work is: a bar on a terminal, else one line per 10 %; with --jsonl one object
/// each time. Confined to its caller.
class Progress {
  public:
    explicit Progress(Session& session) : session_(session) {}
    void at(std::size_t done, std::size_t total);

  private:
    Session& session_;
    std::size_t tenth_ = 0;
};

}  // namespace iotsky::apps::cli
