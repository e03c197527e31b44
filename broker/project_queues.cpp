#include "broker/project_queues.hpp"

#include <algorithm>

namespace iotsky::broker {

std::shared_ptr<ProjectQueue> ProjectQueues::get(std::string_view project) {
    const LockGuard lock(mutex_);
    if (const auto found = by_name_.find(project); found != by_name_.end()) {
        return found->second;
    }
    if (by_name_.size() >= sweep_at_) {
        std::erase_if(by_name_, [](const auto& entry) { return entry.second.use_count() == 1; });
        sweep_at_ = std::max(kSweepFrom, by_name_.size() * 2);
    }
    return by_name_.emplace(std::string{project}, std::make_shared<ProjectQueue>(threads_))
        .first->second;
}

std::size_t ProjectQueues::size() const {
    const LockGuard lock(mutex_);
    return by_name_.size();
}

std::string_view project_of(std::string_view thing) noexcept {
    const std::size_t last = thing.rfind('/');
    if (last == std::string_view::npos || thing.find('/') == last) {
        return {};
    }
    return thing.substr(0, last);
}

}  // namespace iotsky::broker
