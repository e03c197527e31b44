#include "api/admin/counts.hpp"

#include <algorithm>
#include <unordered_set>

#include "provisioning/names.hpp"

namespace iotsky::api {

RegistryCounts count_registry(const provisioning::RegistryView& view, WallTime now) {
    using provisioning::CertificateStatus;
    RegistryCounts out;
    std::unordered_set<Id> seen;
    view.for_each([&](const provisioning::CertificateView& entry) {
        ++out.certificates;
        ++out.certificates_by_status[std::string{to_string(entry.status)}];
        const std::int64_t end = to_unix_s(entry.not_after);
        if (entry.status == CertificateStatus::active && entry.not_after > now) {
            out.next_end_s = out.next_end_s == 0 ? end : std::min(out.next_end_s, end);
        }
        if (entry.thing && seen.insert(entry.thing->id).second) {
            ++out.things;
            ++out.things_by_class[entry.class_view ? entry.class_view->name : std::string{}];
        }
    });
    return out;
}

}  // namespace iotsky::api
