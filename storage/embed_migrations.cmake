# Writes OUTPUT: the text of FILES (of FOLDER) as C++ raw strings, in their order, behind the function NAME.
set(body "")
foreach(file IN LISTS FILES)
    file(READ "${FOLDER}/${file}" sql)
    string(APPEND body "    R\"sql(${sql})sql\",\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"storage/migration_scripts.hpp\"

namespace iotsky::storage {
namespace {
constexpr const char* kMigrations[] = {
${body}};
}  // namespace

std::span<const char* const> ${NAME}() noexcept { return kMigrations; }

}  // namespace iotsky::storage
")
