#pragma once
/// Bodies of io/torch_tensors.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/torch_names.hpp>
#include <plateau/io/torch_tensors.hpp>
#include <plateau/io/zip_directory.hpp>

namespace plateau::io {

namespace detail {

inline constexpr auto command_for_part =
    "\n  python3 -c \"import os, sys, torch; f = sys.argv[1]; a = torch.load(f, weights_only=True); os.rename(f, f + "
    "'.whole'); a = next((a[k] for k in ('state_dict', 'model_state_dict', 'model', 'module') if k in a), a); "
    "torch.save({k: v for k, v in a.items() if torch.is_tensor(v)}, f)\" '";

/// Runs the instructions of a pickle that build plain tensors, refuses every other, and finds the tensors in the file.
class torch_reader {
public:
    torch_reader(std::span<std::byte const> file, std::string const& where)
        : file_{file}, where_{where}, entries_{read_zip_directory(file, where)} {}

    torch_tensors read();

private:
    using number =
        std::uint32_t;  // of a value: values refer to each other, and one may be referred to from many places
    enum class type : std::uint8_t { mark, none, integer, text, tuple, list, dictionary, global, storage, tensor };

    struct value {
        type kind = type::none;
        number first = 0, count = 0;  ///< the items of a tuple or tensor in items_; first: the type of a storage
        std::int64_t integer = 0;     ///< of a global a torch_name, or first_type and the number of its type
        std::string_view text = {};   ///< of a storage its key
    };

    [[noreturn]] void fail() const { throw file_error(where_, ": its pickle is cut or damaged; download it again"); }
    [[noreturn]] void fail(std::string_view what, std::string_view why) const {
        throw file_error(where_, ": ", printable(what), why);
    }

    void push(value one) {
        stack_.push_back(static_cast<number>(values_.size()));
        values_.push_back(one);
    }
    void push_integer(std::int64_t integer) { push({type::integer, 0, 0, integer}); }
    number pop();
    value& top();
    std::size_t mark() const;
    void make_tuple(std::size_t first);
    void assign(std::size_t first, number to);
    std::string_view take(std::uint64_t count);
    std::uint64_t natural(std::size_t count);
    std::int64_t integer(std::uint64_t count);
    void push_text(std::size_t width) { push({type::text, 0, 0, 0, take(natural(width))}); }
    std::string_view line();
    void put(std::uint64_t place);
    void get(std::uint64_t place);
    void push_global(std::string_view module, std::string_view name);
    void reduce();
    bool step(unsigned instruction);

    number item(value const& of, std::size_t i) const {
        if (i >= of.count) fail();
        return items_[of.first + i];
    }
    value const& at(number one, type kind) const {
        if (values_[one].kind != kind) fail();
        return values_[one];
    }
    std::span<std::byte const> entry(std::string_view name);
    void add(std::string_view name, value const& tensor);

    std::span<std::byte const> file_;
    std::string const& where_;
    std::vector<zip_entry> entries_;
    std::size_t found_entry_ = 0;  // storages come one after the other
    std::string folder_ = {};      // of all entries
    std::span<std::byte const> pickle_ = {};
    std::size_t at_ = 0;
    std::vector<value> values_ = {};
    std::vector<number> stack_ = {}, memo_ = {}, items_ = {};
    std::vector<number> assigned_ = {};  // a dictionary, a key and a value by turns
    torch_tensors found_ = {};
};

PLATEAU_INLINE torch_reader::number torch_reader::pop() {
    if (stack_.empty() || values_[stack_.back()].kind == type::mark) fail();
    auto const last = stack_.back();
    stack_.pop_back();
    return last;
}

PLATEAU_INLINE torch_reader::value& torch_reader::top() {
    auto const last = pop();
    stack_.push_back(last);
    return values_[last];
}

/// The place of the last mark.
PLATEAU_INLINE std::size_t torch_reader::mark() const {
    for (std::size_t place = stack_.size(); place-- > 0;) {
        if (values_[stack_[place]].kind == type::mark) return place;
    }
    fail();
}

/// What lies from `first` on becomes a tuple.
PLATEAU_INLINE void torch_reader::make_tuple(std::size_t first) {
    value tuple{type::tuple, static_cast<number>(items_.size())};
    for (std::size_t i = first; i < stack_.size(); ++i) items_.push_back(stack_[i]);
    tuple.count = static_cast<number>(stack_.size() - first);
    stack_.resize(first);
    push(tuple);
}

/// What lies from `first` on are keys and values of a dictionary.
PLATEAU_INLINE void torch_reader::assign(std::size_t first, number to) {
    if ((stack_.size() - first) % 2 != 0 || values_[to].kind != type::dictionary) fail();
    for (std::size_t i = first; i < stack_.size(); i += 2) {
        for (number const one : {to, stack_[i], stack_[i + 1]}) assigned_.push_back(one);
    }
    stack_.resize(first);
}

PLATEAU_INLINE std::string_view torch_reader::take(std::uint64_t count) {
    if (count > pickle_.size() - at_) fail();
    auto const* const first = reinterpret_cast<char const*>(pickle_.data()) + at_;
    at_ += static_cast<std::size_t>(count);
    return {first, static_cast<std::size_t>(count)};
}

/// A little-endian number of so many bytes.
PLATEAU_INLINE std::uint64_t torch_reader::natural(std::size_t count) {
    std::uint64_t all = 0;
    std::memcpy(&all, take(count).data(), count);
    return all;
}

PLATEAU_INLINE std::int64_t torch_reader::integer(std::uint64_t count) {
    if (count > 8) fail();
    if (count == 0) return 0;
    auto const unused = 64 - 8 * static_cast<unsigned>(count);
    return static_cast<std::int64_t>(natural(static_cast<std::size_t>(count)) << unused) >> unused;
}

PLATEAU_INLINE std::string_view torch_reader::line() {
    auto const first = at_;
    while (natural(1) != '\n') {}
    return {reinterpret_cast<char const*>(pickle_.data()) + first, at_ - first - 1};
}

PLATEAU_INLINE void torch_reader::put(std::uint64_t place) {
    if (place > pickle_.size()) fail();
    top();
    while (memo_.size() <= place) memo_.push_back(0);
    memo_[static_cast<std::size_t>(place)] = stack_.back();
}

PLATEAU_INLINE void torch_reader::get(std::uint64_t place) {
    if (place >= memo_.size() || memo_[static_cast<std::size_t>(place)] == 0) fail();
    stack_.push_back(memo_[static_cast<std::size_t>(place)]);
}

PLATEAU_INLINE void torch_reader::push_global(std::string_view module, std::string_view name) {
    std::int64_t which = 0;
    for (auto const& one : torch_names) {
        if (module == one[0] && name == one[1]) return push({type::global, 0, 0, which});
        ++which;
    }
    bool const storage = name.ends_with("Storage");
    auto const of = storage ? name.substr(0, name.size() - 7) : name;
    for (auto const& one : torch_types) {
        if (module == "torch" && of == (storage ? one.storage : one.type) && !of.empty())
            return push({type::global, 0, 0, which});
        ++which;
    }
    fail(concat({module, ".", name}),
         " is what its pickle asks for, which is no part of a plain tensor and is not called "
         "here; save the tensors alone, as a state_dict or by save_pretrained");
}

/// A call of a known global: what it would make is made here.
PLATEAU_INLINE void torch_reader::reduce() {
    auto const arguments = at(pop(), type::tuple);
    auto const which = at(pop(), type::global).integer;
    if (which == ordered_dict && arguments.count == 0) return push({type::dictionary});
    auto const first = item(arguments, 0);
    if (which == size || which == parameter) {
        at(first, which == size ? type::tuple : type::tensor);
        return stack_.push_back(first);
    }
    if (which < tensor || which >= first_type) fail();
    at(first, type::storage);
    item(arguments, which == tensor_v3 ? 6 : 3);
    push({type::tensor, arguments.first, arguments.count, which});
}

/// One instruction. @return false at the end
PLATEAU_INLINE bool torch_reader::step(unsigned instruction) {
    switch (instruction) {
        case 0x80: take(1); break;  // PROTO
        case 0x95: take(8); break;  // FRAME
        case '.': return false;
        case '(': push({type::mark}); break;
        case '0': pop(); break;
        case '1': stack_.resize(mark()); break;
        case 'N': push({}); break;
        case 'G': push({}), take(8); break;  // a double
        case 0x88: push_integer(1); break;   // True
        case 0x89: push_integer(0); break;
        case 'K': push_integer(static_cast<std::int64_t>(natural(1))); break;
        case 'M': push_integer(static_cast<std::int64_t>(natural(2))); break;
        case 'J': push_integer(integer(4)); break;
        case 0x8a: push_integer(integer(natural(1))); break;  // LONG1
        case 'U':                                             // strings of Python 2
        case 0x8c: push_text(1); break;
        case 'T':
        case 'X': push_text(4); break;
        case 0x8d: push_text(8); break;
        case ']': push({type::list}); break;
        case '}': push({type::dictionary}); break;
        case ')': push({type::tuple}); break;
        case 't': {
            auto const first = mark();
            stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(first));
            make_tuple(first);
            break;
        }
        case 0x85:
        case 0x86:
        case 0x87: {
            auto const count = instruction - 0x84;
            if (stack_.size() < count) fail();
            make_tuple(stack_.size() - count);
            break;
        }
        case 'a': pop(), top(); break;  // what lists hold does not matter
        case 'e': stack_.resize(mark()), top(); break;
        case 's':
            if (stack_.size() < 3) fail();
            assign(stack_.size() - 2, stack_[stack_.size() - 3]);
            break;
        case 'u': {
            auto const first = mark();
            if (first == 0) fail();
            assign(first + 1, stack_[first - 1]);
            stack_.resize(first);
            break;
        }
        case 'q': put(natural(1)); break;
        case 'r': put(natural(4)); break;
        case 0x94: put(memo_.size()); break;
        case 'h': get(natural(1)); break;
        case 'j': get(natural(4)); break;
        case 'c': {
            auto const module = line();
            push_global(module, line());
            break;
        }
        case 0x93: {  // STACK_GLOBAL
            auto const name = at(pop(), type::text).text;
            push_global(at(pop(), type::text).text, name);
            break;
        }
        case 'R': reduce(); break;
        case 'b':  // attributes of a dictionary, such as the _metadata of a state_dict, carry nothing
            pop();
            if (top().kind != type::dictionary) fail();
            break;
        case 'Q': {  // ('storage', type, key, place, elements)
            auto const id = at(pop(), type::tuple);
            auto const of = item(id, 1);
            at(of, type::global);
            push({type::storage, of, 0, 0, at(item(id, 2), type::text).text});
            break;
        }
        default:
            throw file_error(where_, ": its pickle holds the instruction ", instruction,
                             ", which a dictionary of plain tensors does not need; it is not followed");
    }
    return true;
}

/// The bytes of a file in the folder. @throws file_error unless it is there, and stored as it is
PLATEAU_INLINE std::span<std::byte const> torch_reader::entry(std::string_view name) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (++found_entry_ >= entries_.size()) found_entry_ = 0;
        auto const& one = entries_[found_entry_];
        if (one.name.size() != folder_.size() + name.size() || !one.name.ends_with(name)) continue;
        if (one.method != 0 || one.size != one.bytes.size()) fail(name, " is compressed, which torch.save does not do");
        return one.bytes;
    }
    fail(name, " is not in the file; download it again");
}

PLATEAU_INLINE torch_tensors torch_reader::read() {
    bool told = false;
    for (auto const& one : entries_) {
        if (one.name.ends_with("data.pkl")) folder_ = one.name.substr(0, one.name.size() - 8);
        told = told || one.name.ends_with("byteorder");
    }
    if (told && !std::string_view{reinterpret_cast<char const*>(entry("byteorder").data()), 1}.starts_with('l'))
        fail("byteorder", " says big-endian; save the file again on a little-endian machine");
    pickle_ = entry("data.pkl");
    if (pickle_.size() >> 28 != 0) fail();
    push({});  // so that no number is 0
    while (step(static_cast<unsigned>(natural(1)))) {}
    auto const root = pop();
    if (values_[root].kind != type::dictionary) fail("data.pkl", " holds no dictionary of tensors; save a state_dict");
    found_.tensors = tensor_table{where_};
    for (std::size_t i = 0; i < assigned_.size(); i += 3) {
        if (assigned_[i] != root) continue;
        auto const &key = values_[assigned_[i + 1]], &tensor = values_[assigned_[i + 2]];
        if (key.kind == type::integer) fail("data.pkl", " has numbers for keys; it is no state_dict");
        auto const name = at(assigned_[i + 1], type::text).text;
        if (tensor.kind != type::tensor)
            fail(name, concat({" is no tensor; save the state_dict alone with", command_for_part, where_, "'"}));
        add(name, tensor);
    }
    return std::move(found_);
}

PLATEAU_INLINE void torch_reader::add(std::string_view name, value const& tensor) {
    auto const& storage = values_[item(tensor, 0)];
    auto const type_number = at(tensor.integer == tensor_v3 ? item(tensor, 6) : storage.first, type::global).integer;
    if (type_number < first_type) fail();
    auto const& kind = torch_types[type_number - first_type];
    auto const stored = entry(concat({"data/", storage.text}));
    if (tensor.count > (tensor.integer == tensor_v3 ? 7U : 6U))  // {'neg': True}, {'conj': True}
        fail(name, " is stored with a negation or conjugation still to do; save it by .resolve_neg().resolve_conj()");

    // its elements are those at offset + Σ iₐ strideₐ, which must lie in the storage; `rows`: one row after the other
    auto const offset = at(item(tensor, 1), type::integer).integer;
    auto const &sizes = at(item(tensor, 2), type::tuple), &strides = at(item(tensor, 3), type::tuple);
    stored_tensor added{{std::string{name}, kind.stored, std::vector<index>(sizes.count)}, 0, 0};
    auto const most = static_cast<std::int64_t>(file_.size()) * 4;  // a stride of 0 must not fill the memory
    std::int64_t left = static_cast<std::int64_t>(stored.size() / kind.width) - 1, count = 1;
    if (offset > 0) left -= offset;
    bool rows = true, beyond = offset < 0 || strides.count != sizes.count, empty = false;
    for (std::size_t a = 0; a < sizes.count; ++a) {
        auto const size = at(item(sizes, a), type::integer).integer;
        added.info.shape[a] = size;
        beyond = beyond || size < 0 || size > most;
        empty = empty || size == 0;
    }
    for (std::size_t a = sizes.count; a-- > 0 && !beyond && !empty;) {
        auto const size = added.info.shape[a], stride = at(item(strides, a), type::integer).integer;
        beyond = stride < 0 || count > most / size;
        if (size > 1 && !beyond) {
            rows = rows && stride == count;
            beyond = stride > 0 && size - 1 > left / stride;
            left -= beyond ? 0 : (size - 1) * stride;
        }
        count *= beyond ? 1 : size;
    }
    if (beyond || (!empty && left < 0)) fail(name, " lies beyond its storage; the file is cut or damaged");
    if (empty) return found_.tensors.add(std::move(added));
    auto const* from = stored.data() + static_cast<std::size_t>(offset) * kind.width;
    added.size = static_cast<std::size_t>(count) * kind.width;
    added.begin = rows ? static_cast<std::size_t>(from - file_.data()) : file_.size() + found_.gathered.size();
    auto const& shape = added.info.shape;
    if (!rows && found_.gathered.size() > static_cast<std::size_t>(most)) fail(name, " repeats too many elements");
    for (std::int64_t i = 0; i < count && !rows; ++i) {  // element i of the rows
        auto place = i, step = std::int64_t{0};
        for (std::size_t a = shape.size(); a-- > 0; place /= shape[a])
            step += place % shape[a] * at(item(strides, a), type::integer).integer;
        auto const* const element = from + static_cast<std::size_t>(step) * kind.width;
        found_.gathered.insert(found_.gathered.end(), element, element + kind.width);
    }
    found_.tensors.add(std::move(added));
}

}  // namespace detail

PLATEAU_INLINE torch_tensors read_torch_tensors(std::span<std::byte const> file, std::string const& where) {
    if (!file.empty() && file[0] == std::byte{0x80}) {
        throw file_error(where,
                         ": this is the form of torch.save before PyTorch 1.6; save it anew with\n"
                         "  python3 -c \"import sys, torch; f = sys.argv[1]; "
                         "torch.save(torch.load(f, weights_only=True), f)\" '",
                         where, "'");
    }
    return detail::torch_reader{file, where}.read();
}

}  // namespace plateau::io
