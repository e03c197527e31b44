#include "api/admin/counts.hpp"

#include <algorithm>
#include <unordered_map>

#include "provisioning/names.hpp"

namespace iotsky::api {

RegistryCounts count_registry(const provisioning::RegistryView& view, WallTime now) {
    using provisioning::CertificateStatus;
    struct Thing {
        std::string class_name;
        bool may_connect = false;
    };
    RegistryCounts out;
    std::unordered_map<Id, Thing> things;
    view.for_each([&](const provisioning::CertificateView& entry) {
        ++out.certificates;
        ++out.certificates_by_status[std::string{to_string(entry.status)}];
        const std::int64_t end = to_unix_s(entry.not_after);
        if (entry.status == CertificateStatus::active && entry.not_after > now) {
            out.next_end_s = out.next_end_s == 0 ? end : std::min(out.next_end_s, end);
        }
        if (entry.thing) {
            Thing& thing = things[entry.thing->id];
            thing.class_name = entry.class_view ? entry.class_view->name : std::string{};
            thing.may_connect = thing.may_connect || !entry.refusal(now);
        }
    });
    out.things = things.size();
    for (const auto& [id, thing] : things) {
        RegistryCounts::Things& of_class = out.things_by_class[thing.class_name];
        ++of_class.all;
        of_class.blocked += thing.may_connect ? 0 : 1;
    }
    return out;
}

}  // namespace iotsky::api
