# cmake -DBUILD=<scratch folder> -P form_self_test.cmake
# Plants one offence at a time in a small tree and requires that form.cmake sees it and says so.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/planted.cmake)

string(REPEAT "\n" 251 lines_251)
string(REPEAT "\n" 401 lines_401)
string(REPEAT "\n" 90 lines_90)
string(REPEAT "//\n" 59 lines_59)
string(REPEAT "//\n" 279 lines_279)
string(REPEAT "//\n" 200 lines_200)
string(REPEAT "    f()\;\n" 79 calls_79)
string(REPEAT "PLATEAU_RARE void f()\;\n" 16 sixteen)

# expect(name "message or empty for a clean tree" path content [path content ...])
function(expect name message)
    set(root ${BUILD}/${name})
    file(REMOVE_RECURSE ${root})
    foreach(i RANGE 3)
        file(WRITE ${root}/include/plateau/core/clean_${i}.hpp "#pragma once\n")
    endforeach()
    while(ARGN)
        list(POP_FRONT ARGN path content)
        if(path MATCHES "^examples/")
            file(WRITE ${root}/${path} "${content}\n")
        else()
            file(WRITE ${root}/include/plateau/${path} "#pragma once\n${content}\n")
        endif()
    endwhile()
    require_refused(${name} "${message}" form -DSOURCE=${root})
endfunction()

expect(clean "" nn/a.hpp "// class Context, gnu::cold
template <class Context> void f(int a, int b, int c, std::map<int, int> const& d, int e, int g);
void h() { call(a, b, c, d, e, f, g); }")
expect(long_header "nn/a.hpp: 25[0-9] lines" nn/a.hpp "${lines_251}")
expect(longer_header "io/a.hpp: 40[0-9] lines" io/a.hpp "${lines_401}")
expect(median "the median header has" io/a.hpp "${lines_90}" io/b.hpp "${lines_90}" io/c.hpp "${lines_90}" io/d.hpp "${lines_90}"
    io/e.hpp "${lines_90}")
expect(parameters "f has more than 6 parameters" engine/a.hpp
    "void f(int a, std::map<int, int> const& b, int c, int d,\n   int e, T const* p, int g = {1, 2})\;")
expect(model_above_engine "'class Model'" sweep/a.hpp "template <class T, class Model>\nvoid f(Model const&)\;")
expect(context_above_engine "'class Context'" program/a.hpp "template <class Context>\nvoid f()\;")
expect(auto_model "'auto const& model,'" sweep/a.hpp "void f(auto const& model, int)\;")
expect(branch "is_same_v<typename Context'" nn/a.hpp "if constexpr (std::is_same_v<typename Context::space, host>) {}")
expect(direct "if constexpr \\(x::direct" sae/a.hpp "if constexpr (x::direct) {}")
expect(cold "gnu::cold: use PLATEAU_RARE" io/a.hpp "[[gnu::cold]] void f()\;")
expect(noinline "gnu::noinline: use PLATEAU_RARE" io/a.hpp "[[gnu::noinline]] void f()\;")
expect(rare "PLATEAU_RARE is used 16 times" io/a.hpp "${sixteen}")
expect(always_inline "always_inline is for kernels" nn/a.hpp "[[gnu::always_inline]] void f()\;")
expect(recipe "examples/a.cpp: 61 lines" examples/a.cpp "//\n${lines_59}")
expect(program "examples/programs/a.cpp: 281 lines" examples/programs/a.cpp "//\n${lines_279}")
expect(median_program "the median program has 201 lines" examples/programs/a.cpp "${lines_200}" examples/programs/b.cpp "${lines_200}"
    examples/programs/c.cpp "//")
expect(all_programs "have [0-9]+ lines, [0-9]+ at most: 307 for each"
    examples/support/a.hpp "${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}"
    program/a.hpp "${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}${lines_279}")
expect(function "examples/programs/a.cpp:1: a function of 81 lines" examples/programs/a.cpp "void g() {\n${calls_79}}")
expect(lambda "examples/programs/a.cpp:3: a function of 82 lines" examples/programs/a.cpp
    "struct a {\n    int b = 0\;\n    auto f = [&] {\n    f()\;\n${calls_79}    }\;\n}\;")
expect(generic_lambda "examples/programs/a.cpp:1: 'auto const& model,'" examples/programs/a.cpp
    "auto f = [](auto const& model, int) { return 1\; }\;")
