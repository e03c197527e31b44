// What the structures of the data plane cost by themselves, in ns and bytes:
//   structures_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only
// Build it with the `release` preset, on a machine that does nothing else; the CPU column counts.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/mailbox.hpp"
#include "broker/out_buffer.hpp"
#include "broker/retained_index.hpp"
#include "broker/route_cache.hpp"
#include "broker/timer_wheel.hpp"
#include "broker/topic_index.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::broker;

constexpr std::array kKinds{"temp", "state", "cmd", "log"};

std::string project(std::uint64_t number) {
    return "iot/p" + std::to_string(number);
}

std::string topic(std::uint64_t project_number, std::uint64_t thing, std::uint64_t kind) {
    return project(project_number) + "/thing" + std::to_string(thing) + "/" + kKinds.at(kind);
}

Subscriber subscriber(std::uint64_t number) {
    Subscriber one;
    one.session.gen = 1;
    one.session.slot = number & 0xffffffU;
    one.session.thread = number & 1U;
    one.sid = number;
    one.qos = 1;
    return one;
}

/// 90 % exact, 5 % with '+', 5 % with '#'; 200 filters per project.
struct School {
    explicit School(std::uint64_t filters) : projects(filters / 200) {
        for (std::uint64_t i = 0; i < filters; ++i) {
            const std::uint64_t p = i % projects;
            const auto dice = random.below(20);
            std::string filter = topic(p, random.below(kThings), random.below(kKinds.size()));
            if (dice == 0) {
                filter = project(p) + "/+/" + kKinds.at(random.below(kKinds.size()));
            } else if (dice == 1) {
                filter = project(p) + "/#";
            }
            index.insert(filter, subscriber(i));
        }
    }
    std::string random_topic() {
        return topic(random.below(projects), random.below(kThings), random.below(kKinds.size()));
    }
    std::vector<std::string> topics(std::size_t count) {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(random_topic());
        }
        return all;
    }

    static constexpr std::uint64_t kThings = 40;
    std::uint64_t projects;
    SeededRandom random{1};
    TopicIndex index;
};

void topic_index_match(benchmark::State& state) {
    School school(static_cast<std::uint64_t>(state.range(0)));
    const std::vector<std::string> topics = school.topics(1U << 16U);
    std::vector<Subscriber> out;
    std::size_t at = 0;
    std::size_t found = 0;
    for (auto _ : state) {
        out.clear();
        benchmark::DoNotOptimize(school.index.match(topics[at++ % topics.size()], out));
        found += out.size();
    }
    state.counters["hits"] =
        benchmark::Counter(static_cast<double>(found), benchmark::Counter::kAvgIterations);
}
BENCHMARK(topic_index_match)->Arg(100'000)->Arg(1'000'000);

void topic_index_insert_erase(benchmark::State& state) {
    School school(100'000);
    const Subscriber one = subscriber(1U << 20U);
    std::size_t at = 0;
    for (auto _ : state) {
        const std::string filter = "iot/p7/thing" + std::to_string(at++ % 1000) + "/+";
        school.index.insert(filter, one);
        school.index.erase(filter, one.session, one.form);
    }
}
BENCHMARK(topic_index_insert_erase);

/// Bytes of heap per subscription for `iot/p<n>/thing<m>/+`, allocator included.
void topic_index_memory(benchmark::State& state) {
    const auto filters = static_cast<std::uint64_t>(state.range(0));
    double per_filter = 0;
    for (auto _ : state) {
        ::malloc_trim(0);
        const auto before = ::mallinfo2();
        TopicIndex index;
        for (std::uint64_t i = 0; i < filters; ++i) {
            index.insert(project(i / 100) + "/thing" + std::to_string(i) + "/+", subscriber(i));
        }
        const auto after = ::mallinfo2();
        per_filter =
            static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
            static_cast<double>(filters);
    }
    state.counters["bytes_per_filter"] = per_filter;
}
BENCHMARK(topic_index_memory)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

/// Topics in the order of their use, back to back: a real topic lies in the read buffer, which is
/// warm.
class TopicStream {
  public:
    explicit TopicStream(const std::vector<std::string>& topics) {
        for (const std::string& one : topics) {
            sizes_.push_back(static_cast<std::uint32_t>(one.size()));
            text_ += one;
        }
    }
    std::string_view next() {
        if (at_ == sizes_.size()) {
            at_ = 0;
            offset_ = 0;
        }
        const std::string_view one(text_.data() + offset_, sizes_[at_++]);
        offset_ += one.size();
        return one;
    }

  private:
    std::string text_;
    std::vector<std::uint32_t> sizes_;
    std::size_t at_ = 0;
    std::size_t offset_ = 0;
};

void route_cache_hit(benchmark::State& state) {
    School school(100'000);
    const auto distinct = static_cast<std::uint64_t>(state.range(0));
    std::vector<std::string> topics;
    for (std::uint64_t i = 0; i < distinct; ++i) {
        const std::uint64_t n = i * 7919 % distinct;  // in no order
        topics.push_back(topic(n % school.projects, n / school.projects, n % kKinds.size()));
    }
    TopicStream stream(topics);
    RouteCache cache(school.index, {1U << 20U, std::size_t{1} << 30U});
    for (const std::string& one : topics) {
        benchmark::DoNotOptimize(cache.find(one, {}));
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.find(stream.next(), {}).targets.data());
    }
    state.counters["misses"] = static_cast<double>(cache.misses());
}
BENCHMARK(route_cache_hit)->Arg(1)->Arg(1'000)->Arg(20'000)->Arg(200'000);

void route_cache_miss(benchmark::State& state) {
    School school(100'000);
    const std::vector<std::string> topics = school.topics(1U << 16U);
    RouteCache cache(school.index, {1'000, 64U << 20U});
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.find(topics[at++ % topics.size()], {}).targets.data());
    }
}
BENCHMARK(route_cache_miss);

/// One turn's burst of 128 byte messages from one thread to another one that is awake; both halves.
void mailbox_round(benchmark::State& state) {
    const auto burst = static_cast<std::size_t>(state.range(0));
    constexpr std::size_t kRecord = 8 + 128;
    Mailbox box;
    Sleeper sleeper;
    box.set_waker(nullptr, &sleeper);
    std::array<std::byte, kRecord> record{};
    std::vector<MailChunk> mail;
    std::size_t sum = 0;
    for (auto _ : state) {
        MailChunk chunk{0, 1, box.take_buffer()};
        for (std::size_t i = 0; i < burst; ++i) {
            chunk.bytes.insert(chunk.bytes.end(), record.begin(), record.end());
        }
        box.publish(std::move(chunk));
        box.drain(mail);
        for (const MailChunk& one : mail) {
            for (std::size_t i = 0; i < one.bytes.size(); i += kRecord) {
                sum += static_cast<std::size_t>(one.bytes[i]);
            }
        }
        box.recycle(std::move(mail));
        mail.clear();
    }
    benchmark::DoNotOptimize(sum);
    state.counters["per_message"] = benchmark::Counter(
        static_cast<double>(burst),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(mailbox_round)->Arg(1)->Arg(8)->Arg(64);

void out_buffer_message(benchmark::State& state) {
    ChunkPool pool;
    OutBuffer out(pool);
    const std::vector<std::byte> packet(140);
    std::array<iovec, 16> pieces{};
    const auto burst = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        for (std::size_t i = 0; i < burst; ++i) {
            std::memcpy(out.reserve(packet.size()).data(), packet.data(), packet.size());
            out.commit(packet.size());
        }
        benchmark::DoNotOptimize(out.gather(pieces));
        out.consume(out.size());
    }
    state.counters["per_message"] = benchmark::Counter(
        static_cast<double>(burst),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(out_buffer_message)->Arg(1)->Arg(32);

/// Keep Alive of 60 s on 50,000 connections: the cost of one deadline from schedule() to firing.
void timer_wheel_deadline(benchmark::State& state) {
    TimePoint now{};
    TimerWheel wheel(now);
    for (std::uint32_t i = 0; i < 50'000; ++i) {
        wheel.schedule({i, 1}, now + std::chrono::microseconds(1'200 * i));
    }
    const auto again = [&](ConnRef conn) { wheel.schedule(conn, now + std::chrono::seconds(60)); };
    std::size_t fired = 0;
    for (auto _ : state) {
        now += TimerWheel::kTick;
        fired += wheel.advance(now, 1'000'000, again);
    }
    state.counters["per_deadline"] = benchmark::Counter(
        static_cast<double>(fired), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(timer_wheel_deadline);

Retained retained(std::string name) {
    Retained message;
    message.topic = std::move(name);
    message.payload = "{\"celsius\": 21.5}";
    message.publisher = "7b/otter/weather";
    return message;
}

/// 100,000 retained messages of 2,500 projects.
struct Shelf {
    Shelf() {
        for (std::uint64_t i = 0; i < 100'000; ++i) {
            static_cast<void>(index.put(retained(topic(i / 40, i % 40 / 4, i % 4))));
        }
    }
    RetainedIndex index{{}};
};

void retained_put(benchmark::State& state) {
    Shelf shelf;
    std::uint64_t i = 0;
    for (auto _ : state) {
        i = (i + 7919) % 100'000;
        benchmark::DoNotOptimize(shelf.index.put(retained(topic(i / 40, i % 40 / 4, i % 4))));
    }
}
BENCHMARK(retained_put);

/// What retained_put() spends before it gets to the index.
void retained_put_arguments(benchmark::State& state) {
    std::uint64_t i = 0;
    for (auto _ : state) {
        i = (i + 7919) % 100'000;
        benchmark::DoNotOptimize(retained(topic(i / 40, i % 40 / 4, i % 4)));
    }
}
BENCHMARK(retained_put_arguments);

/// `iot/p<n>/+/temp`: 40 visits, 10 found.
void retained_match(benchmark::State& state) {
    Shelf shelf;
    std::uint64_t i = 0;
    std::vector<RetainedPtr> out;
    std::size_t found = 0;
    for (auto _ : state) {
        i = (i + 7919) % 2'500;
        out.clear();
        RetainedIndex::Cursor cursor;
        shelf.index.match(project(i) + "/+/temp", ~Rev{0}, cursor, 10'000, out);
        found += out.size();
    }
    state.counters["hits"] =
        benchmark::Counter(static_cast<double>(found), benchmark::Counter::kAvgIterations);
}
BENCHMARK(retained_match);

/// `#` in slices of 256: ns per message visited.
void retained_match_all(benchmark::State& state) {
    Shelf shelf;
    std::vector<RetainedPtr> out;
    for (auto _ : state) {
        RetainedIndex::Cursor cursor;
        while (!cursor.done) {
            out.clear();
            shelf.index.match("#", ~Rev{0}, cursor, 256, out);
        }
    }
    state.counters["per_message"] = benchmark::Counter(
        1e5, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(retained_match_all)->Unit(benchmark::kMillisecond);

}  // namespace
