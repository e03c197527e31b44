#include "tests/simulation/tally.hpp"

#include <algorithm>

namespace iotsky::simulation {

void Tally::take(const Client::Delivery& delivery) {
    const std::string& payload = delivery.payload;
    if (payload.size() <= publisher_.size() || payload[publisher_.size()] != ':' ||
        !payload.starts_with(publisher_)) {
        return;
    }
    const auto number = static_cast<unsigned>(std::stoul(payload.substr(publisher_.size() + 1)));
    if (seen_.size() <= number) {
        seen_.resize(number + 1);
    }
    ++delivered_;
    if (seen_[number]) {
        twice_ += exactly_once_ ? 1U : 0U;
        return;
    }
    seen_[number] = true;
    disorder_ += number < last_ ? 1U : 0U;
    last_ = std::max(last_, number);
}

unsigned Tally::missing(const std::set<unsigned>& acknowledged) const {
    return static_cast<unsigned>(std::count_if(acknowledged.begin(), acknowledged.end(),
                                               [this](unsigned number) { return !has(number); }));
}

std::string Tally::missing_text(const std::set<unsigned>& acknowledged) const {
    std::string text = publisher_ + ":";
    for (const unsigned number : acknowledged) {
        text += has(number) ? "" : " " + std::to_string(number);
    }
    return text;
}

void Outcome::add(const Client& publisher, const Client& subscriber, bool exactly_once) {
    Tally tally(publisher.options().id, exactly_once);
    for (const Client::Delivery& delivery : subscriber.deliveries) {
        tally.take(delivery);
    }
    lost += tally.missing(publisher.acknowledged);
    twice += tally.twice();
    order += tally.disorder();
    delivered += tally.delivered();
}

}  // namespace iotsky::simulation
