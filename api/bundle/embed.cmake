# cmake -DOUT=FILE.cpp -DFOLDER=DIR -P embed.cmake: writes the templates as C++ constants. Raw string literals with a
# delimiter that no template holds.
set(text "// Made of api/bundle/templates/ when built.\n#include \"api/bundle/templates.hpp\"\n\n")
string(APPEND text "namespace iotsky::api::templates {\n\n")
foreach(pair kReadme=README.html kSketch=arduino-esp32/sketch.ino kSecrets=arduino-esp32/secrets.h
        kPython=python/thing.py kShellCommon=shell/common.sh kShellPub=shell/pub.sh kShellSub=shell/sub.sh
        kShellCheck=shell/check.sh)
    string(REPLACE "=" ";" parts ${pair})
    list(GET parts 0 name)
    list(GET parts 1 path)
    file(READ "${FOLDER}/${path}" content)
    string(APPEND text "const std::string_view ${name} = R\"EMBEDDED(${content})EMBEDDED\";\n")
endforeach()
string(APPEND text "\n}  // namespace iotsky::api::templates\n")
file(WRITE "${OUT}" "${text}")
