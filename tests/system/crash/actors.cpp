#include "tests/system/crash/actors.hpp"

namespace iotsky::crash {
namespace {

using namespace std::chrono_literals;
using simulation::ClientOptions;

ClientOptions persistent(const std::string& id) {
    ClientOptions options;
    options.id = id;
    return options;
}

}  // namespace

Subscriber::Subscriber(const std::string& id, std::uint8_t qos, bool commutes,
                       const std::vector<std::string>& publishers)
    : link_([&] {
          ClientOptions options = persistent(id);
          options.subscriptions = {{"load/#", qos}};
          return options;
      }()),
      commutes_(commutes) {
    for (const std::string& publisher : publishers) {
        const bool exactly_once = qos == 2 && publisher.starts_with("two");
        tallies_.emplace(publisher, simulation::Tally(publisher, exactly_once));
    }
}

void Subscriber::step(Instant now, SeededRandom& random, std::uint16_t port) {
    const bool travels = commutes_ && subscribed() && now >= changes_at_;
    if (travels) {
        changes_at_ = now + std::chrono::milliseconds{50 + random.below(250)};
        if (link_.open()) {
            link_.leave();
            return;
        }
        ++returns_;
    }
    if (!link_.open()) {
        if (commutes_ && subscribed() && !travels) {
            return;  // away
        }
        (void)link_.connect(port);
    }
    link_.pump();
    for (const auto& delivery : link_.client().deliveries) {
        const std::string publisher = delivery.payload.substr(0, delivery.payload.find(':'));
        tallies_.at(publisher).take(delivery);
    }
    link_.client().deliveries.clear();
}

void Subscriber::note(const std::vector<std::unique_ptr<Link>>& publishers,
                      Findings& findings) const {
    for (const auto& publisher : publishers) {
        const simulation::Tally& tally = tallies_.at(publisher->client().options().id);
        const unsigned missing = tally.missing(publisher->client().acknowledged);
        if (missing > 0) {
            findings.lost_text += link_.client().options().id + " of " +
                                  tally.missing_text(publisher->client().acknowledged) + "\n";
        }
        findings.lost += missing;
        findings.twice += tally.twice();
        findings.disorder += tally.disorder();
        findings.delivered += tally.delivered();
    }
}

bool Subscriber::has_all(const std::vector<std::unique_ptr<Link>>& publishers) const {
    for (const auto& publisher : publishers) {
        const simulation::Tally& tally = tallies_.at(publisher->client().options().id);
        if (tally.missing(publisher->client().acknowledged) > 0) {
            return false;
        }
    }
    return true;
}

Resident::Resident(const std::string& id) : id_(id) {
    begin();
}

/// Persistent, persistent, clean: opened, found again, ended.
void Resident::begin() {
    ClientOptions options = persistent(id_);
    options.clean_session = round_ % 3 == 2;
    link_ = std::make_unique<Link>(options);
}

void Resident::step(std::uint16_t port, Findings& findings) {
    if (!link_->open() && !link_->connect(port)) {
        return;
    }
    link_->pump();
    const simulation::Client& client = link_->client();
    if (!client.connack) {
        if (!link_->open()) {
            exists_.reset();  // the broker died over it
            begin();
        }
        return;
    }
    const bool clean = client.options().clean_session;
    if (*client.connack != 0) {
        link_->close();  // not now: it is still loading, or the disk refuses
        begin();
        return;
    }
    if (exists_ && !clean) {
        findings.sessions_lost += *exists_ && !client.session_present ? 1U : 0U;
        findings.sessions_back += !*exists_ && client.session_present ? 1U : 0U;
    }
    exists_ = !clean;
    link_->leave();
    ++round_;
    begin();
}

Keeper::Keeper(const std::string& id) : id_(id), link_(persistent(id)) {}

void Keeper::step(SeededRandom& random, std::uint16_t port) {
    if (!link_.open() && !link_.connect(port)) {
        return;
    }
    link_.pump();
    const simulation::Client& client = link_.client();
    if (on_its_way_ && client.finished()) {
        acknowledged_ = *on_its_way_;
        on_its_way_.reset();
    }
    if (!on_its_way_ && !resting_ && link_.open() && client.connack) {
        on_its_way_ = random.below(3) == 0 ? "" : std::to_string(++number_);
        link_.client().publish(topic(), *on_its_way_, 1, true);
    }
}

bool Keeper::allows(const std::string& value) const {
    return value == acknowledged_ || (on_its_way_ && value == *on_its_way_);
}

}  // namespace iotsky::crash
