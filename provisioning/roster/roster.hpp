#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "provisioning/core.hpp"
#include "provisioning/pipeline.hpp"
#include "provisioning/roster/roster_plan.hpp"
#include "provisioning/roster/roster_table.hpp"

namespace iotsky::provisioning {

struct RosterOptions {
    bool dry_run = false;
    std::optional<std::string> thing;  ///< name of a thing, with certificate, for each student
    std::string key_type = "p256";     ///< "p256" | "rsa2048"
    std::size_t first = 1;             ///< first row to work on, from 1, header not counted
    std::size_t count = 1000;          ///< rows to work on
    bool keep_real_names = true;       ///< false: only pseudonyms enter the registry
    /// Called after each chunk of 100 with (rows done, rows in all); on the calling thread.
    std::function<void(std::size_t, std::size_t)> progress;
};

enum class RosterOutcome : std::uint8_t { created, exists, problem };
[[nodiscard]] std::string_view to_string(RosterOutcome outcome) noexcept;

struct RosterRow {
    std::size_t line = 0;  ///< in the file
    RosterOutcome outcome = RosterOutcome::problem;
    std::string student;  ///< pseudonym
    std::string project;
    std::optional<std::string> thing;  ///< path, with RosterOptions::thing
    std::optional<CertificateRecord> certificate;
    std::optional<SecretString> private_key;  ///< the only copy
    std::string number;                       ///< of a problem (E...) or a warning (W2101)
    std::string message;
};

struct RosterResult {
    bool dry_run = false;
    std::size_t rows_total = 0;
    std::size_t first = 1;
    std::optional<std::size_t> next;  ///< first row that is left, when `count` ended earlier
    RosterColumns columns;
    std::vector<RosterRow> rows;
    std::size_t created = 0;
    std::size_t existing = 0;
    std::size_t problems = 0;
};

/// A class's roster from and to a file. Thread: `work`.
class Roster {
  public:
    explicit Roster(Core& core);

    /// Makes students, projects and, when asked, things. Each chunk of 100 rows is one transaction;
    /// a chunk that fails leaves nothing, its rows carry the error. Rows that are there already are
    /// left alone, so the same file can be given again to go on.
    /// Errors: E2107, E4117, E4118, E2122-E2127 of the file, E4104.
    [[nodiscard]] Result<RosterResult> import(const Caller& caller, std::string_view class_name,
                                              std::string_view bytes, const RosterOptions& options);
    /// CSV (UTF-8 with mark, comma): pseudonym, name, project, things. Safe against formulas.
    [[nodiscard]] Result<std::string> export_csv(const Caller& caller, std::string_view class_name);

  private:
    /// Runs the orders of `rows` in one transaction and fills in what came of them.
    void run_chunk(const Caller& caller, const ClassRecord& in, std::span<RosterRow> rows,
                   std::span<const PlannedRow> plan, const RosterOptions& options);

    Core& core_;
    Pipeline pipeline_;
};

}  // namespace iotsky::provisioning
