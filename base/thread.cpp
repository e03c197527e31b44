#include "base/thread.hpp"

#include <pthread.h>

#include <string>

#include "base/assert.hpp"

namespace iotsky {

void ThreadChecker::check() const noexcept {
#ifndef NDEBUG
    if (owner_ == std::thread::id{}) {
        owner_ = std::this_thread::get_id();
    }
    IOTSKY_ASSERT(owner_ == std::this_thread::get_id());
#endif
}

void set_thread_name(std::string_view name) noexcept {
    const std::string cut{name.substr(0, 15)};
    pthread_setname_np(pthread_self(), cut.c_str());
}

}  // namespace iotsky
