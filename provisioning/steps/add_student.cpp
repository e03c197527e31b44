#include "provisioning/steps/add_student.hpp"

#include "provisioning/lookup.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/projects.hpp"

namespace iotsky::provisioning {

Result<void> AddStudent::run(Order& order) {
    if (!order.student) {
        return {};
    }
    StudentRecord& student = *order.student;
    IOTSKY_TRY(in, find_class(*order.tx, order.request.class_name));
    IOTSKY_CHECK(check_project_name(order.request.project));
    const auto known = order.tx->student_by_pseudonym(in.id, student.pseudonym);
    if (known && known->id != student.id) {
        return make_error(
            Errc::already_exists, "E2117",
            "There is a student " + student.pseudonym + " in class " + in.name + " already.",
            "Pseudonyms are unique in a class.", "Import again: it goes on.");
    }
    if (!known) {
        student.class_id = in.id;
        order.tx->insert(student);
        add_event(order, "student.created");
    }
    auto project = order.tx->project_by_name(in.id, order.request.project);
    if (!project) {
        project = ProjectRecord{order.project_id, in.id, order.request.project, order.now, 1};
        order.tx->insert(*project);
        order.project_made = true;
    }
    order.tx->add_student_to_project(project->id, student.id);
    return {};
}

void AddStudent::undo(Order& order) noexcept {
    order.project_made = false;
    order.events.clear();
    order.events_stored = 0;
}

}  // namespace iotsky::provisioning
