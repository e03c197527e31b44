// Cost of rights on the way of a message: ns per verdict. Budget: default rights of a class < 300
// ns.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "acl/auth_context.hpp"
#include "acl/explain.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::acl;

const WallTime kNow = from_unix_s(1'795'425'271);
using Names = std::array<std::string_view, 4>;
constexpr Names kOwn{"7b/otter/weather/temp", "7b/otter/weather/hum", "7b/otter/weather/a/b",
                     "7b/otter/weather"};
constexpr Names kElsewhere{"7b/heron/door", "7c/otter/weather/temp", "7b/otter/weather2/temp", "x"};
constexpr Names kAws{"$aws/things/weather/shadow/update", "things/weather/temperature/inside",
                     "$aws/things/weather/jobs/get", "things/weather/x"};

const std::string kDocument = R"({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:us-east-1:123456789012:client/${iot:Connection.Thing.ThingName}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
     "arn:aws:iot:us-east-1:123456789012:topic/things/${iot:Connection.Thing.ThingName}/*",
     "arn:aws:iot:us-east-1:123456789012:topic/$aws/things/${iot:Connection.Thing.ThingName}/*"]},
    {"Effect": "Deny", "Action": "iot:*", "Resource": "arn:aws:iot:*:*:topic/*/secret/*"}]})";
const std::string kTimed = R"({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
    "Condition": {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}}})";

Attributes attributes() {
    Attributes a;
    a.client_id = "weather-1";
    a.source_ip = "::ffff:10.1.2.3";
    a.thing_name = "weather";
    return a;
}

std::shared_ptr<const AuthContext> by_class() {
    const auto rules = compile({}, ClassRights{"7b", "otter", "weather", false}, Reserved{"th_1"});
    return AuthContext::make(rules.value(), attributes(), std::nullopt);
}

std::shared_ptr<const RuleSet> rules_of(const std::string& document, std::size_t copies) {
    const auto policy = std::make_shared<const Policy>(parse_policy(document).value());
    const std::vector<NamedPolicy> policies(copies, NamedPolicy{"p", "1", policy});
    return compile(policies, std::nullopt).value();
}

void ask(benchmark::State& state, const AuthContext& context, Action action, const Names& names) {
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(context.evaluate(action, names[i++ % names.size()], kNow));
    }
}

void default_rights_allow(benchmark::State& state) {
    ask(state, *by_class(), Action::publish, kOwn);
}
BENCHMARK(default_rights_allow);

void default_rights_refuse(benchmark::State& state) {
    ask(state, *by_class(), Action::receive, kElsewhere);
}
BENCHMARK(default_rights_refuse);

/// Argument: how many such policies of three statements.
void aws_policy_allow(benchmark::State& state) {
    const auto rules = rules_of(kDocument, static_cast<std::size_t>(state.range(0)));
    ask(state, *AuthContext::make(rules, attributes(), std::nullopt), Action::publish, kAws);
}
BENCHMARK(aws_policy_allow)->Arg(1)->Arg(50);

void date_condition(benchmark::State& state) {
    ask(state, *AuthContext::make(rules_of(kTimed, 1), attributes(), std::nullopt), Action::publish,
        kAws);
}
BENCHMARK(date_condition);

void receive_class(benchmark::State& state) {
    const auto context = by_class();
    for (auto _ : state) {
        benchmark::DoNotOptimize(context->receive_class("7b/otter/+/temp"));
    }
}
BENCHMARK(receive_class);

void make_context(benchmark::State& state) {
    const auto rules = rules_of(kDocument, 1);
    const Attributes a = attributes();
    for (auto _ : state) {
        benchmark::DoNotOptimize(AuthContext::make(rules, a, std::nullopt));
    }
}
BENCHMARK(make_context);

void compile_default_rights(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            compile({}, ClassRights{"7b", "otter", "weather", false}, Reserved{"th_1"}));
    }
}
BENCHMARK(compile_default_rights);

void read_policy(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse_policy(kDocument));
    }
}
BENCHMARK(read_policy);

void explain_refusal(benchmark::State& state) {
    const auto context = by_class();
    for (auto _ : state) {
        benchmark::DoNotOptimize(explain(*context, Action::publish, "7b/heron/door", kNow));
    }
}
BENCHMARK(explain_refusal);

}  // namespace

BENCHMARK_MAIN();
