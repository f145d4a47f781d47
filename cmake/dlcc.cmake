# What every box shares: warnings, sanitizers, ccache, and the two functions that declare a box and its tests.

find_program(DLCC_CCACHE ccache)
if(DLCC_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${DLCC_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DLCC_CCACHE})
endif()

add_library(dlcc_options INTERFACE)
target_include_directories(dlcc_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(dlcc_options INTERFACE -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
# No fused multiply-add behind our back: references and generated code must round alike.
target_compile_options(dlcc_options INTERFACE -ffp-contract=off)
# std::stable_sort of libstdc++ 12 uses what libstdc++ 12 declares deprecated, and clang says so.
target_compile_options(dlcc_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-deprecated-declarations>)
if(DLCC_WERROR)
  target_compile_options(dlcc_options INTERFACE -Werror)
endif()
if(DLCC_SANITIZE)
  target_compile_options(dlcc_options INTERFACE -fsanitize=${DLCC_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(dlcc_options INTERFACE -fsanitize=${DLCC_SANITIZE})
endif()

# dlcc_box(NAME [libraries...]): a static library of all sources below this folder.
function(dlcc_box name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC dlcc_options ${ARGN})
endfunction()

# dlcc_tests(NAME [libraries...]): one GoogleTest program of all *_test.cpp in this folder.
function(dlcc_tests name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE dlcc_options ${ARGN} GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()
