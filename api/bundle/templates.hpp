#pragma once

#include <string_view>

/// The files of api/bundle/templates/, put into the program when it is built (api/CMakeLists.txt).
namespace iotsky::api::templates {

extern const std::string_view kReadme;
extern const std::string_view kSketch;
extern const std::string_view kSecrets;
extern const std::string_view kPython;
extern const std::string_view kShellCommon;
extern const std::string_view kShellPub;
extern const std::string_view kShellSub;
extern const std::string_view kShellCheck;

}  // namespace iotsky::api::templates
