# What the program says of itself in manifests: version, commit, whether the tree had changes, flags. Configure runs again
# at every new commit.
find_package(Git QUIET)
set(INLAY_COMMIT unknown)
set(INLAY_DIRTY 0)
if(Git_FOUND AND EXISTS ${CMAKE_SOURCE_DIR}/.git/HEAD)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE INLAY_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${GIT_EXECUTABLE} diff-index --quiet HEAD -- WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  RESULT_VARIABLE INLAY_DIRTY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${CMAKE_SOURCE_DIR}/.git/HEAD ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
endif()
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} -ffp-contract=off" flags)
set_source_files_properties(src/runs/tool_info.cc PROPERTIES COMPILE_DEFINITIONS
  "INLAY_VERSION=\"${PROJECT_VERSION}\";INLAY_COMMIT=\"${INLAY_COMMIT}\";INLAY_DIRTY=${INLAY_DIRTY};INLAY_FLAGS=\"${flags}\"")
