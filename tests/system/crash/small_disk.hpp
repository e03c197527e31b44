#pragma once

#include <filesystem>

namespace iotsky::crash {

/// A real file system of a few MiB (tmpfs) under a folder, in a mount namespace of this process: no
/// rights are needed, nobody else sees it, and it goes with the process.
class SmallDisk {
  public:
    /// From now on this process, and those that it starts, have mounts of their own. False where
    /// the machine does not let it. Before any other thread begins.
    [[nodiscard]] static bool own_mounts();

    /// Puts it under `folder`, with all that is in there.
    void mount(const std::filesystem::path& folder, unsigned mib);
    /// Takes what is left of it, or gives that back.
    void fill() const;
    void relieve() const;

  private:
    std::filesystem::path filler_;
};

}  // namespace iotsky::crash
