#include "apps/cli/progress.hpp"

#include <algorithm>
#include <iostream>
#include <string>

namespace iotsky::apps::cli {

void Progress::at(std::size_t done, std::size_t total) {
    const std::string count = std::to_string(done) + "/" + std::to_string(total);
    if (session_.globals.jsonl) {
        session_.streams.out << R"({"progress":)" << done << R"(,"total":)" << total << "}"
                             << std::endl;
        return;
    }
    std::ostream& err = session_.streams.err;
    if (session_.streams.err_terminal) {
        constexpr std::size_t kWidth = 22;
        const std::size_t filled =
            std::min(kWidth, kWidth * done / std::max<std::size_t>(total, 1));
        err << "\r  [" << std::string(filled, '#') << std::string(kWidth - filled, '.') << "] "
            << count << (done >= total ? "\n" : "") << std::flush;
        return;
    }
    const std::size_t tenth = 10 * done / std::max<std::size_t>(total, 1);
    if (tenth != tenth_) {
        tenth_ = tenth;
        err << count << "\n";
    }
}

}  // namespace iotsky::apps::cli
