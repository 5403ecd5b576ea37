# Compiler, warnings, optimization, sanitizers and speed-ups, for every target of the project.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(WEIR_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (address,undefined or thread)")
option(WEIR_LTO "Link-time optimization: a few percent of speed for minutes of linking" OFF)
option(WEIR_PCH "Precompile the headers that every unit test includes" ON)

# Release keeps line tables, so that a profile and a crash have names, and no more than that: full debug info costs a
# third of the compile time. The assertions of core/base/assert.h do not look at NDEBUG; they stay on.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
# A sanitized build runs whole load tests: unoptimized, it would be slower than the timeouts it tests.
if(WEIR_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
endif()

# ccache, told to see the same source in another folder (a fresh clone) as the same source. The `sloppiness` is what its
# manual asks for with precompiled headers.
find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_SLOPPINESS=pch_defines,time_macros ${WEIR_CCACHE})
endif()
find_program(WEIR_MOLD mold)
if(WEIR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Everything that is ours is compiled against this target.
add_library(weir_options INTERFACE)
target_compile_options(weir_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-omit-frame-pointer)
# What g++ 12 gets wrong when it looks through the inlined standard library: the sum of two strings (PR 105329, 105651),
# and with -fsanitize=address every std::function (PR 105562). The sanitizers look for the same at run time.
target_compile_options(weir_options INTERFACE
  -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
if(WEIR_SANITIZE)
  target_compile_options(weir_options INTERFACE -Wno-maybe-uninitialized)
endif()
target_include_directories(weir_options INTERFACE ${PROJECT_SOURCE_DIR})
# The checks of the standard library (index, iterator, empty container) wherever speed is not the point.
target_compile_definitions(weir_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
# Paths in assertions and debug info start at the root, wherever the tree was built. The second form is how ccache
# spells the same path; the first is the only spelling that ccache lets two clones share.
cmake_path(RELATIVE_PATH PROJECT_SOURCE_DIR BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE up)
target_compile_options(weir_options INTERFACE
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${up}/=)

if(WEIR_SANITIZE)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  if(WEIR_SANITIZE MATCHES undefined)
    # To look at an object it needs a descriptor, and reports a false mistake where a story lets none be left.
    add_compile_options(-fno-sanitize=vptr)
  endif()
  add_link_options(-fsanitize=${WEIR_SANITIZE})
endif()

if(WEIR_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

# The allocator of the program. A sanitizer brings its own, so then this is empty.
add_library(weir_allocator INTERFACE)
if(NOT WEIR_SANITIZE)
  find_package(mimalloc REQUIRED)
  # Nothing calls it by name, so a linker that drops what looks unused must be told to keep it.
  target_link_libraries(weir_allocator INTERFACE -Wl,--push-state,--no-as-needed mimalloc -Wl,--pop-state)
endif()
