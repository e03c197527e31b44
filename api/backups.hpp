#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

/// Backups as the HTTP endpoint sees them; apps/ implements it.
namespace iotsky::api {

struct BackupInfo {
    std::string name;
    std::string state;  ///< "running", "done", "failed"
    std::string kind;   ///< "made", "automatic", "before_upgrade"
    std::string file;   ///< on the broker's machine
    WallTime made_at{};
    std::uint64_t bytes = 0;  ///< 0 until it is done
    bool encrypted = false;
    std::string program;                ///< version that made it
    std::string problem;                ///< why it failed, in words, with its number
    std::vector<std::string> left_out;  ///< files that the configuration names and that are not in
                                        ///< it
};

/// Thread: any (handlers call it on several work threads).
class Backups {
  public:
    virtual ~Backups() = default;
    /// Begins a backup in the folder of backups; an empty passphrase: not encrypted. It goes on by
    /// itself: ask show(). Errors: E5106 one is being made, E5108 the passphrase is too short.
    [[nodiscard]] virtual Result<BackupInfo> begin(SecretString passphrase) = 0;
    /// Error: E5111.
    [[nodiscard]] virtual Result<BackupInfo> show(const std::string& name) = 0;
    /// The newest first.
    [[nodiscard]] virtual std::vector<BackupInfo> list() = 0;
    /// Errors: E5106 it is being made, E5111.
    [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
};

}  // namespace iotsky::api
