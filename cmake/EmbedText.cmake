# iotsky_embed_text(OUT.cpp NAMESPACE SYMBOL FILES...): a source file that defines `const std::string_view SYMBOL`
# with the texts of FILES one after the other. Made anew when one of them changes.
function(iotsky_embed_text out namespace symbol)
    set(body "#include <string_view>\n\nnamespace ${namespace} {\n\nextern const std::string_view ${symbol};\nconst std::string_view ${symbol} =")
    foreach(file ${ARGN})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
        file(READ "${file}" text)
        string(APPEND body "\n    R\"embedded(${text})embedded\"")
    endforeach()
    string(APPEND body ";\n\n}  // namespace ${namespace}\n")
    file(CONFIGURE OUTPUT "${out}" CONTENT "${body}" @ONLY NEWLINE_STYLE UNIX)
endfunction()
