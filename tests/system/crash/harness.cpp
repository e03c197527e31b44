#include "tests/system/crash/harness.hpp"

#include <poll.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace iotsky::crash {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr unsigned kPublishersPerQos = 8;
constexpr auto kPatience = 120s;
constexpr auto kSilence = 500ms;
constexpr auto kReliefMax = 5s;  // 2 s, on a machine that is not busy with other tests

}  // namespace

Harness::Harness(const Options& options)
    : options_(options), random_(options.seed), broker_({options.program, folder_.path(), {}}) {
    make_crowd();
}

void Harness::make_crowd() {
    std::vector<std::string> ids;
    for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
        for (unsigned i = 0; i < kPublishersPerQos; ++i) {
            simulation::ClientOptions publisher;
            publisher.id = (qos == 1 ? "one" : "two") + std::to_string(i);
            publisher.publish_topic = "load/" + publisher.id;
            publisher.publish_qos = qos;
            publisher.window = 16;
            publisher.packet_ids = 20;
            publisher.payload_bytes = options_.payload;
            ids.push_back(publisher.id);
            publishers_.push_back(std::make_unique<Link>(publisher));
        }
    }
    subscribers_.push_back(std::make_unique<Subscriber>("steady2", 2, false, ids));
    subscribers_.push_back(std::make_unique<Subscriber>("steady1", 1, false, ids));
    subscribers_.push_back(std::make_unique<Subscriber>("commuter2", 2, true, ids));
    subscribers_.push_back(std::make_unique<Subscriber>("commuter1", 1, true, ids));
    for (int i = 0; i < 4; ++i) {
        residents_.emplace_back("resident" + std::to_string(i));
        keepers_.emplace_back("keeper" + std::to_string(i));
    }
}

/// The set-up, before the layer: a power cut in the middle of it is another story.
void Harness::prepare() {
    broker_.start();
    if (broker_.stop(stop_took_) != 0) {
        throw std::runtime_error("the broker did not stop after its set-up");
    }
    if (options_.tmpfs_mib > 0) {
        disk_.mount(broker_.data(), options_.tmpfs_mib);
    } else if (!options_.layer.empty()) {
        folder_.begin_layer(broker_.data(), options_.layer, options_.sync_ms);
        broker_.set_environment(folder_.environment());
    }
}

void Harness::begin_life() {
    const auto began = steady_clock::now();
    broker_.start();
    slowest_start_ = std::max(slowest_start_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                                  steady_clock::now() - began));
}

void Harness::allow_messages() {
    const auto now = loaded_ + std::chrono::duration_cast<std::chrono::milliseconds>(
                                   steady_clock::now() - began_);
    const auto each = static_cast<unsigned>(static_cast<unsigned long>(now.count()) *
                                            options_.rate / 1'000 / publishers_.size());
    for (const auto& publisher : publishers_) {
        publisher->client().set_messages(each);
    }
}

void Harness::wait_for_input() {
    std::vector<pollfd> all;
    const auto add = [&](const Link& link) {
        if (link.open()) {
            all.push_back(
                {link.fd(), static_cast<short>(POLLIN | (link.has_output() ? POLLOUT : 0)), 0});
        }
    };
    for (const auto& publisher : publishers_) {
        add(*publisher);
    }
    for (const auto& subscriber : subscribers_) {
        add(subscriber->link());
    }
    for (Resident& resident : residents_) {
        add(resident.link());
    }
    for (Keeper& keeper : keepers_) {
        add(keeper.link());
    }
    (void)::poll(all.data(), all.size(), 2);
}

void Harness::step() {
    const Instant now = steady_clock::now();
    for (const auto& subscriber : subscribers_) {
        subscriber->step(now, random_, broker_.port());
    }
    // Until every subscription is acknowledged nobody is owed anything.
    if (std::all_of(subscribers_.begin(), subscribers_.end(),
                    [](const auto& s) { return s->subscribed(); })) {
        for (const auto& publisher : publishers_) {
            if (!publisher->open()) {
                (void)publisher->connect(broker_.port());
            }
            publisher->pump();
        }
    }
    for (Resident& resident : residents_) {
        resident.step(broker_.port(), findings_);
    }
    for (Keeper& keeper : keepers_) {
        keeper.step(random_, broker_.port());
    }
    wait_for_input();
}

void Harness::load_for(std::chrono::milliseconds time) {
    began_ = steady_clock::now();
    while (steady_clock::now() < began_ + time) {
        allow_messages();
        step();
    }
    loaded_ += time;
}

/// Before anybody else connects: what the broker holds is what the keepers were told, or what they
/// were about to be.
void Harness::check_retained() {
    simulation::ClientOptions options;
    options.id = "checker";
    options.clean_session = true;
    options.subscriptions = {{"state/#", 1}};
    Link checker(options);
    if (!checker.connect(broker_.port())) {
        throw std::runtime_error("the broker is ready and does not listen");
    }
    const auto end = steady_clock::now() + 20s;
    auto quiet_since = steady_clock::now();
    std::size_t seen = 0;
    while (steady_clock::now() < end &&
           (!checker.client().subscribed || steady_clock::now() < quiet_since + 150ms)) {
        checker.pump();
        if (checker.client().deliveries.size() != seen || !checker.client().subscribed) {
            seen = checker.client().deliveries.size();
            quiet_since = steady_clock::now();
        }
        if (!checker.open()) {
            throw std::runtime_error("the broker is ready and takes nobody");
        }
        pollfd one{checker.fd(), POLLIN, 0};
        (void)::poll(&one, 1, 5);
    }
    for (const Keeper& keeper : keepers_) {
        std::string value;
        for (const auto& delivery : checker.client().deliveries) {
            value = delivery.topic == keeper.topic() ? delivery.payload : value;
        }
        findings_.retained_wrong += keeper.allows(value) ? 0U : 1U;
    }
}

void Harness::one_kill() {
    load_for(std::chrono::milliseconds{100 + random_.below(700)});
    broker_.kill();
    begin_life();
    check_retained();
}

void Harness::one_cut() {
    load_for(std::chrono::milliseconds{100 + random_.below(700)});
    broker_.kill();
    folder_.cut_power(broker_.data(), random_);
    begin_life();
    check_retained();
}

unsigned long Harness::connects() const {
    unsigned long all = 0;
    for (const auto& publisher : publishers_) {
        all += publisher->client().connects;
    }
    return all;
}

unsigned long Harness::acknowledged() const {
    unsigned long all = 0;
    for (const auto& publisher : publishers_) {
        all += publisher->client().acknowledged.size();
    }
    return all;
}

void Harness::refuse(const std::string& how) const {
    if (options_.tmpfs_mib > 0) {
        disk_.fill();
    } else {
        folder_.set_switch(how);
    }
}

void Harness::accept() const {
    if (options_.tmpfs_mib > 0) {
        disk_.relieve();
    } else {
        folder_.set_switch("");
    }
}

/// What was on disk before may still be told, and what fits into files that are there already.
/// False when acknowledgements do not end.
bool Harness::load_until_silent() {
    const auto end = steady_clock::now() + kPatience;
    unsigned long before = 0;
    do {
        before = acknowledged();
        load_for(kSilence);
    } while (acknowledged() != before && steady_clock::now() < end);
    return acknowledged() == before;
}

/// The disk refuses for a while. Afterwards acknowledgements come again.
void Harness::one_refusal(const std::string& how) {
    load_for(300ms);
    const unsigned long connected = connects();
    refuse(how);
    findings_.never_refused += load_until_silent() ? 0U : 1U;
    const unsigned long before = acknowledged();
    load_for(1'000ms);
    findings_.unbacked += acknowledged() - before;
    accept();
    findings_.cut_off += connects() - connected;
    const auto relieved = steady_clock::now();
    while (acknowledged() == before && steady_clock::now() < relieved + kPatience) {
        load_for(10ms);
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - relieved);
    slowest_relief_ = std::max(slowest_relief_, took);
    findings_.slow_reliefs += took > kReliefMax ? 1U : 0U;
}

/// Nobody begins anything new; everybody gets what he is owed.
void Harness::finish() {
    for (const auto& subscriber : subscribers_) {
        findings_.strays += subscriber->commutes() && subscriber->returns() == 0 ? 1U : 0U;
        subscriber->stop_commuting();
    }
    for (Keeper& keeper : keepers_) {
        keeper.rest();
    }
    const auto end = steady_clock::now() + kPatience;
    const auto done = [&] {
        return std::all_of(publishers_.begin(), publishers_.end(),
                           [](const auto& p) { return p->client().finished(); }) &&
               std::all_of(subscribers_.begin(), subscribers_.end(),
                           [&](const auto& s) { return s->has_all(publishers_); });
    };
    while (!done() && steady_clock::now() < end) {
        for (int i = 0; i < 50; ++i) {
            step();
        }
    }
    // What comes twice comes now.
    const auto linger = steady_clock::now() + 300ms;
    while (steady_clock::now() < linger) {
        step();
    }
}

Findings Harness::run() {
    prepare();
    begin_life();
    for (unsigned i = 0; i < options_.kills; ++i) {
        one_kill();
    }
    for (unsigned i = 0; i < options_.cuts; ++i) {
        one_cut();
    }
    for (unsigned i = 0; i < options_.full; ++i) {
        one_refusal("full");
    }
    for (unsigned i = 0; i < options_.read_only; ++i) {
        one_refusal("read-only");
    }
    load_for(200ms);
    finish();
    findings_.acknowledged = acknowledged();
    for (const auto& publisher : publishers_) {
        findings_.unfinished += publisher->client().finished() ? 0U : 1U;
    }
    for (const auto& subscriber : subscribers_) {
        subscriber->note(publishers_, findings_);
    }
    if (broker_.stop(stop_took_) != 0) {
        throw std::runtime_error("the broker did not stop in order");
    }
    return findings_;
}

std::string Harness::summary() const {
    const auto& f = findings_;
    std::string text;
    const auto line = [&](const std::string& what, unsigned long number) {
        text += what + " " + std::to_string(number) + "\n";
    };
    line("kills", options_.kills);
    line("power cuts", options_.cuts);
    line("full disks", options_.full);
    line("read-only disks", options_.read_only);
    line("acknowledged", f.acknowledged);
    line("acknowledged per second of load",
         loaded_.count() == 0
             ? 0
             : f.acknowledged * 1'000 / static_cast<unsigned long>(loaded_.count()));
    line("delivered", f.delivered);
    line("lost", f.lost);
    text += f.lost_text;
    line("QoS 2 duplicates", f.twice);
    line("out of order", f.disorder);
    line("sessions lost", f.sessions_lost);
    line("sessions resurrected", f.sessions_back);
    line("retained messages wrong", f.retained_wrong);
    line("commuters that never came back", f.strays);
    line("publishers without an answer", f.unfinished);
    line("publishers cut off by a refusing disk", f.cut_off);
    line("refusing disks that nobody noticed", f.never_refused);
    line("acknowledged while the disk refused", f.unbacked);
    line("slow reliefs", f.slow_reliefs);
    line("slowest start, ms", static_cast<unsigned long>(slowest_start_.count()));
    line("slowest relief, ms", static_cast<unsigned long>(slowest_relief_.count()));
    line("stop, ms", static_cast<unsigned long>(stop_took_.count()));
    return text;
}

}  // namespace iotsky::crash
