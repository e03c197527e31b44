#pragma once

#include <cstdint>

namespace iotsky::storage::test {

/// Makes SQLite's disk fail at will: while one of these lives, every database opened goes through
/// it. One at a time.
class FailingVfs {
  public:
    FailingVfs();
    ~FailingVfs();
    FailingVfs(const FailingVfs&) = delete;
    FailingVfs& operator=(const FailingVfs&) = delete;

    enum class Kind : std::uint8_t { io_error, disk_full };
    /// The n-th write, sync or truncation from now fails (0: the next), and all after it.
    void fail_after(int n, Kind kind = Kind::io_error);
    /// The n-th file opened from now cannot be (0: the next), nor those after it.
    void fail_opens_after(int n);
    /// The n-th read from now fails (0: the next), and all after it.
    void fail_reads_after(int n);
    /// Syncs so far.
    [[nodiscard]] int syncs() const;
    /// The disk works again.
    void heal();
    /// Whether anything failed since the last of these calls.
    [[nodiscard]] bool struck() const;
};

}  // namespace iotsky::storage::test
