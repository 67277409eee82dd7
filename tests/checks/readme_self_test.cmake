# cmake -DBUILD=<scratch folder> -P readme_self_test.cmake
# Plants one offence at a time and requires that readme.cmake sees it and says so.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/planted.cmake)
set(planted_passes "1 blocks of C\\+\\+, 1 links")

# expect(name "message or empty" text-of-README.md)
function(expect name message text)
    set(root ${BUILD}/${name})
    file(REMOVE_RECURSE ${root})
    file(WRITE ${root}/examples/a.cpp "int main() {\n    return a[0]\;\n}\n")
    file(WRITE ${root}/README.md "${text}")
    require_refused(${name} "${message}" readme -DSOURCE=${root})
endfunction()

expect(clean "" "# a\n\n[b](examples/a.cpp)\n\n<!-- from examples/a.cpp -->\n```cpp\n    return a[0]\;\n```\n")
expect(other_code "stands not in examples/a.cpp" "x\n<!-- from examples/a.cpp -->\n```cpp\n    return 2\;\n```\n")
expect(no_source "without a line" "x\n\n```cpp\nint x\;\n```\n")
expect(no_file "there is no examples/b.cpp" "x\n<!-- from examples/b.cpp -->\n```cpp\nint x\;\n```\n")
expect(link "links to nowhere.md" "see [this](nowhere.md)\n")
string(REPEAT "0123456789" 1025 long)
expect(long "10250 bytes" "${long}")
