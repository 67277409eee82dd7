#include <plateau/io/tokenizer/decoder.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

using action = text_step::action;
using tokens = std::vector<std::string>;

std::string text(std::vector<text_step> const& steps, tokens const& list) {
    return decoder{steps}.text_of_tokens(list);
}

}  // namespace

TEST_CASE("without a decoder spaces join the tokens", "[io][tokenizer]") { CHECK(text({}, {"a", "Ġb"}) == "a Ġb"); }

TEST_CASE("the byte alphabet", "[io][tokenizer]") {
    CHECK(text({{action::byte_letters}}, {"Ġthe", "Ã", "©"}) == " theé");
    CHECK(text({{action::byte_letters}}, {"Ã", "a"}) == "\uFFFDa");
    CHECK(text({{action::byte_letters}}, {"<a b>", "é"}) == "<a b>\uFFFD");  // out of the alphabet: as it is
    CHECK(decoder{{{action::byte_letters}}}.only_bytes());
    CHECK_FALSE(decoder{{{action::fuse}}}.only_bytes());
}

TEST_CASE("byte fallback", "[io][tokenizer]") {
    CHECK(text({{action::byte_fallback}}, {"a", "<0xC3>", "<0xA9>", "b"}) == "aéb");
    CHECK(text({{action::byte_fallback}}, {"<0x61>", "<0xC3>"}) == "\uFFFD\uFFFD");
    CHECK(text({{action::byte_fallback}}, {"<0x6g>", "<0x61", "<0x+9>", "<0xe>"}) == "<0x6g><0x61\t<0xe>");
}

TEST_CASE("the decoder of Llama 2", "[io][tokenizer]") {
    std::vector<text_step> const llama{{action::replace, "▁", " "},
                                       {action::byte_fallback},
                                       {action::fuse},
                                       {.what = action::strip, .text = " ", .left = 1}};
    CHECK(text(llama, {"▁the", "▁▁", "<0xE2>", "<0x82>", "<0xAC>"}) == "the  €");
    CHECK(text(llama, {"▁▁a"}) == " a");
    CHECK(text(llama, {}).empty());
    CHECK(decoder{llama}.bytes_of_token("▁the") == " the");
    CHECK(decoder{llama}.bytes_of_token("<0xE2>") == "\xE2");
}

TEST_CASE("stripping and Metaspace", "[io][tokenizer]") {
    CHECK(text({{.what = action::strip, .text = "-", .left = 2, .right = 1}}, {"---a--", "-", ""}) == "-a-");
    CHECK(text({{action::metaspace, "▁"}}, {"▁a▁b", "▁c"}) == "ab c");
    CHECK(text({{action::metaspace_all, "▁"}}, {"▁a", "▁c"}) == " a c");
    CHECK(decoder{{{action::metaspace, "▁"}}}.bytes_of_token("▁a") == " a");
}
