#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "provisioning/roster/csv.hpp"
#include "provisioning/roster/encoding.hpp"
#include "provisioning/roster/roster_table.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;

namespace {

void check_entry(const RosterEntry& entry) {
    IOTSKY_ASSERT(is_utf8(entry.name) && is_utf8(entry.pseudonym) && is_utf8(entry.project));
    if (!entry.problem_number.empty()) {
        IOTSKY_ASSERT(!entry.problem.empty());
        return;
    }
    IOTSKY_ASSERT(!entry.name.empty() || !entry.pseudonym.empty());
    IOTSKY_ASSERT(entry.pseudonym.empty() || is_valid_name(entry.pseudonym));
    IOTSKY_ASSERT(entry.project.empty() || is_valid_name(entry.project));
    // What we write, a spreadsheet does not take for a formula, and we read it back.
    const std::string cell = csv_cell(entry.name);
    if (!entry.name.empty()) {
        const auto again = parse_csv("x," + cell + "\n");
        IOTSKY_ASSERT(again && again->rows.size() == 1 && again->rows[0].cells.size() == 2);
        const std::string& read = again->rows[0].cells[1];
        IOTSKY_ASSERT(read == entry.name || read == "'" + entry.name);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto table = parse_roster(bytes);
    if (!table) {
        IOTSKY_ASSERT(!table.error().how.empty());
        return 0;
    }
    IOTSKY_ASSERT(table->entries.size() <= 1000);
    for (const RosterEntry& entry : table->entries) {
        check_entry(entry);
    }
    return 0;
}
