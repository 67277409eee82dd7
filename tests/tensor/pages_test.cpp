#include <plateau/tensor/pages.hpp>

#include <algorithm>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "support/catch.hpp"

using plateau::tensor::claim_pages;

TEST_CASE("claiming pages leaves values as they are, within and around", "[tensor][pages]") {
    std::vector<unsigned char> bytes(100'000);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 31);
    auto const before = bytes;
    for (std::size_t size : {0, 1, 4096, 50'000}) claim_pages(bytes.data() + 1234, size);
    CHECK(bytes == before);
}

#ifdef MADV_POPULATE_WRITE
TEST_CASE("claimed pages are there before they are written", "[tensor][pages]") {
    std::size_t const page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), count = 64;
    void* const memory = ::mmap(nullptr, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto const present = [&] {
        std::vector<unsigned char> states(count);
        REQUIRE(::mincore(memory, count * page, states.data()) == 0);
        return std::count_if(states.begin(), states.end(), [](unsigned char state) { return (state & 1) != 0; });
    };
    bool const supported = page == 4096 && ::madvise(memory, page, MADV_POPULATE_WRITE) == 0;
    if (supported) {
        CHECK(present() == 1);
        claim_pages(static_cast<char*>(memory) + page + 100, 39 * page);  // from within page 1 to within page 40
        CHECK(present() == 41);
    } else {
        WARN("this system cannot claim pages");
    }
    ::munmap(memory, count * page);
}
#endif
