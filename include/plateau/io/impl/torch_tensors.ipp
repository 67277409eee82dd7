#pragma once
/// Bodies of io/torch_tensors.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/torch_tensors.hpp>
#include <plateau/io/zip_directory.hpp>

namespace plateau::io {

namespace detail {

/// What a pickle makes, by number: values refer to each other, and one may be referred to from many places.
struct pickled {
    enum class type : std::uint8_t { none, number, text, tuple, list, dictionary, global, storage, tensor, other };
    using number = std::uint32_t;

    type kind = type::none;
    std::int64_t integer = 0;
    std::string_view text = {};      ///< of a global "module\nname"
    std::vector<number> items = {};  ///< elements; keys and values by turns; what a tensor or storage is made from
};

struct torch_type {
    std::string_view storage, type;  ///< torch.STORAGE, torch.TYPE
    std::string_view stored;         ///< as safetensors spells it
    unsigned width;                  ///< bytes
};

inline constexpr torch_type torch_types[]{
    {"FloatStorage", "float32", "F32", 4},
    {"BFloat16Storage", "bfloat16", "BF16", 2},
    {"HalfStorage", "float16", "F16", 2},
    {"DoubleStorage", "float64", "F64", 8},
    {"LongStorage", "int64", "I64", 8},
    {"IntStorage", "int32", "I32", 4},
    {"ShortStorage", "int16", "I16", 2},
    {"CharStorage", "int8", "I8", 1},
    {"ByteStorage", "uint8", "U8", 1},
    {"BoolStorage", "bool", "BOOL", 1},
    {"ComplexFloatStorage", "complex64", "C64", 8},
    {"", "float8_e4m3fn", "F8_E4M3", 1},
    {"", "float8_e5m2", "F8_E5M2", 1},
    {"", "uint16", "U16", 2},
    {"", "uint32", "U32", 4},
    {"", "uint64", "U64", 8},
};

/// Runs the instructions of a pickle that build plain tensors, and refuses every other.
class torch_pickle {
public:
    using number = pickled::number;
    using type = pickled::type;

    torch_pickle(std::span<std::byte const> bytes, std::string const& where) : bytes_{bytes}, where_{where} {
        values_.reserve(bytes.size() / 8);
    }

    /// The number of the value that it makes.
    number run();
    pickled const& at(number value) const { return values_[value]; }
    /// The items of a value that must be a tuple of at least `least` items.
    std::vector<number> const& tuple(number value, std::size_t least) const {
        auto const& one = at(value);
        if ((one.kind != type::tuple && one.kind != type::list) || one.items.size() < least) fail();
        return one.items;
    }
    std::int64_t integer(number value) const {
        if (at(value).kind != type::number) fail();
        return at(value).integer;
    }
    [[noreturn]] void fail() const { throw file_error(where_, ": its pickle is cut or damaged; download it again"); }

private:
    number add(pickled value) {
        values_.push_back(std::move(value));
        return static_cast<number>(values_.size() - 1);
    }
    void push(pickled value) { stack_.push_back(add(std::move(value))); }
    void push(type kind, std::int64_t integer = 0) { push({kind, integer, {}, {}}); }
    number pop() {
        if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail();
        auto const top = stack_.back();
        stack_.pop_back();
        return top;
    }
    number top() {
        auto const value = pop();
        stack_.push_back(value);
        return value;
    }
    /// What was pushed since the last mark.
    std::vector<number> pop_to_mark() {
        if (marks_.empty()) fail();
        auto const first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<number> items(first, stack_.end());
        stack_.erase(first, stack_.end());
        marks_.pop_back();
        return items;
    }
    void push_tuple(std::size_t count) {
        std::vector<number> items(count);
        for (std::size_t i = count; i-- > 0;) items[i] = pop();
        push({type::tuple, 0, {}, std::move(items)});
    }
    void append(std::vector<number> const& items, type kind) {
        auto& to = values_[top()];
        if (to.kind != kind || (kind == type::dictionary && items.size() % 2 != 0)) fail();
        to.items.insert(to.items.end(), items.begin(), items.end());
    }

    std::string_view take(std::uint64_t count) {
        if (count > bytes_.size() - at_) fail();
        std::string_view const text{reinterpret_cast<char const*>(bytes_.data()) + at_,
                                    static_cast<std::size_t>(count)};
        at_ += static_cast<std::size_t>(count);
        return text;
    }
    /// A little-endian number of so many bytes.
    std::uint64_t natural(std::size_t count) {
        std::uint64_t value = 0;
        std::memcpy(&value, take(count).data(), count);
        return value;
    }
    std::int64_t signed_integer(std::uint64_t count) {
        if (count > 8) fail();
        if (count == 0) return 0;
        unsigned const unused = 64 - 8 * static_cast<unsigned>(count);
        return static_cast<std::int64_t>(natural(static_cast<std::size_t>(count)) << unused) >> unused;
    }
    std::string_view line() {
        auto const first = at_;
        while (natural(1) != '\n') {}
        return {reinterpret_cast<char const*>(bytes_.data()) + first, at_ - first - 1};
    }

    void put(std::uint64_t place) {
        if (place > bytes_.size()) fail();
        if (place >= memo_.size()) memo_.resize(static_cast<std::size_t>(place) + 1, none);
        memo_[static_cast<std::size_t>(place)] = top();
    }
    void get(std::uint64_t place) {
        if (place >= memo_.size() || memo_[static_cast<std::size_t>(place)] == none) fail();
        stack_.push_back(memo_[static_cast<std::size_t>(place)]);
    }

    void push_global(std::string_view module_and_name);
    void reduce();
    void build();
    void push_storage();
    bool step(unsigned instruction);

    static constexpr number none = std::numeric_limits<number>::max();
    std::span<std::byte const> bytes_;
    std::string const& where_;
    std::size_t at_ = 0;
    std::vector<pickled> values_ = {};
    std::vector<number> stack_ = {}, memo_ = {};
    std::vector<std::size_t> marks_ = {};
    std::list<std::string> joined_ = {};  // the names of globals that come in two parts
};

PLATEAU_INLINE void torch_pickle::push_global(std::string_view name) {
    bool known = name == "collections\nOrderedDict" || name == "torch\nSize" ||
                 name == "torch._utils\n_rebuild_tensor" || name == "torch._utils\n_rebuild_tensor_v2" ||
                 name == "torch._utils\n_rebuild_tensor_v3" || name == "torch._utils\n_rebuild_parameter" ||
                 name == "torch.storage\nUntypedStorage";
    if (!known && name.starts_with("torch\n")) {
        for (auto const& one : torch_types) known |= name.substr(6) == one.storage || name.substr(6) == one.type;
    }
    if (!known) {
        std::string dotted{name};
        std::replace(dotted.begin(), dotted.end(), '\n', '.');
        throw file_error(where_, ": its pickle asks for ", printable(dotted),
                         ", which is no part of a plain tensor and is not called here; save the tensors alone, as a "
                         "state_dict or by save_pretrained");
    }
    push({type::global, 0, name, {}});
}

/// A call of a known global: what it would make is made here.
PLATEAU_INLINE void torch_pickle::reduce() {
    auto const arguments = pop(), function = pop();
    auto const& items = tuple(arguments, 0);
    if (at(function).kind != type::global) fail();
    auto name = at(function).text;
    name.remove_prefix(name.find('\n') + 1);
    if (name == "OrderedDict") {
        if (!items.empty()) fail();
        return push(type::dictionary);
    }
    if (name == "Size" || name == "_rebuild_parameter") {
        if (items.empty() || at(items[0]).kind != (name == "Size" ? type::tuple : type::tensor)) fail();
        return stack_.push_back(items[0]);
    }
    if (!name.starts_with("_rebuild_tensor") || items.size() < 4) fail();
    pickled tensor{type::tensor, 0, {}, {items.begin(), items.begin() + 4}};
    if (at(items[0]).kind != type::storage) fail();
    if (name.ends_with("v3")) {
        if (items.size() < 7 || at(items[6]).kind != type::global) fail();
        tensor.text = at(items[6]).text;
    }
    push(std::move(tensor));
}

/// Attributes of a dictionary, such as the _metadata of a state_dict, carry nothing.
PLATEAU_INLINE void torch_pickle::build() {
    pop();
    if (at(top()).kind != type::dictionary) fail();
}

/// ('storage', type, key, place, elements): all but the first and the place of it.
PLATEAU_INLINE void torch_pickle::push_storage() {
    auto const id = pop();
    auto const& items = tuple(id, 5);
    if (at(items[0]).text != "storage" || at(items[1]).kind != type::global || at(items[2]).kind != type::text) fail();
    push({type::storage, 0, at(items[2]).text, {items[1]}});
}

/// One instruction. @return false at the end
PLATEAU_INLINE bool torch_pickle::step(unsigned instruction) {
    auto const push_text = [this](unsigned width) { push({type::text, 0, take(natural(width)), {}}); };
    auto const push_other = [this](unsigned width) { push({type::other, 0, take(natural(width)), {}}); };
    switch (instruction) {
        case 0x80: take(1); break;  // PROTO
        case 0x95: take(8); break;  // FRAME
        case '.': return false;
        case '(': marks_.push_back(stack_.size()); break;
        case '0': pop(); break;
        case '1': pop_to_mark(); break;
        case '2': stack_.push_back(top()); break;
        case 'N': push(type::none); break;
        case 0x88: push(type::number, 1); break;  // True
        case 0x89: push(type::number, 0); break;
        case 'K': push(type::number, static_cast<std::int64_t>(natural(1))); break;
        case 'M': push(type::number, static_cast<std::int64_t>(natural(2))); break;
        case 'J': push(type::number, signed_integer(4)); break;
        case 0x8a: push(type::number, signed_integer(natural(1))); break;  // LONG1
        case 0x8b: push(type::number, signed_integer(natural(4))); break;  // LONG4
        case 'G': push({type::other, 0, take(8), {}}); break;              // a double
        case 0x8c: push_text(1); break;
        case 'X': push_text(4); break;
        case 0x8d: push_text(8); break;
        case 'U': push_text(1); break;  // strings of Python 2
        case 'T': push_text(4); break;
        case 'C': push_other(1); break;  // bytes
        case 'B': push_other(4); break;
        case 0x8e: push_other(8); break;
        case ']': push(type::list); break;
        case '}': push(type::dictionary); break;
        case ')': push(type::tuple); break;
        case 'l': push({type::list, 0, {}, pop_to_mark()}); break;
        case 't': push({type::tuple, 0, {}, pop_to_mark()}); break;
        case 'd':
            push({type::dictionary, 0, {}, pop_to_mark()});
            append({}, type::dictionary);
            if (at(top()).items.size() % 2 != 0) fail();
            break;
        case 0x85: push_tuple(1); break;
        case 0x86: push_tuple(2); break;
        case 0x87: push_tuple(3); break;
        case 'a': append({pop()}, type::list); break;
        case 'e': append(pop_to_mark(), type::list); break;
        case 's': {
            auto const value = pop(), key = pop();
            append({key, value}, type::dictionary);
            break;
        }
        case 'u': append(pop_to_mark(), type::dictionary); break;
        case 'q': put(natural(1)); break;
        case 'r': put(natural(4)); break;
        case 0x94: put(memo_.size()); break;
        case 'h': get(natural(1)); break;
        case 'j': get(natural(4)); break;
        case 'c': {
            auto const module = line(), name = line();
            push_global({module.data(), module.size() + 1 + name.size()});
            break;
        }
        case 0x93: {  // STACK_GLOBAL
            auto const name = pop(), module = pop();
            if (at(name).kind != type::text || at(module).kind != type::text) fail();
            push_global(joined_.emplace_back(concat({at(module).text, "\n", at(name).text})));
            break;
        }
        case 'R': reduce(); break;
        case 'b': build(); break;
        case 'Q': push_storage(); break;
        default:
            throw file_error(where_, ": its pickle holds the instruction ", instruction,
                             ", which a dictionary of plain tensors does not need; it is not followed");
    }
    return true;
}

PLATEAU_INLINE torch_pickle::number torch_pickle::run() {
    while (step(static_cast<unsigned>(natural(1)))) {}
    return pop();
}

/// The places of the tensors of a pickle in the file.
class torch_reader {
public:
    torch_reader(std::span<std::byte const> file, std::string const& where)
        : file_{file}, where_{where}, entries_{read_zip_directory(file, where)} {}

    torch_tensors read();

private:
    using number = pickled::number;

    /// @throws file_error unless it is there, and stored as it is
    zip_entry const& entry(std::string const& name) const {
        auto const found = numbers_.find(name);
        if (!found) throw file_error(where_, ": it holds no ", printable(name), "; download it again");
        auto const& one = entries_[*found];
        if (one.method != 0 || one.size != one.bytes.size())
            throw file_error(where_, ": ", printable(name), " is compressed, which torch.save does not do");
        return one;
    }
    void add(torch_pickle const& pickle, std::string_view name, pickled const& tensor);
    /// Appends the elements of a tensor row after row. @param from  its first one
    void gather(std::byte const* from, std::vector<index> const& shape, std::vector<index> const& strides,
                std::size_t width);

    std::span<std::byte const> file_;
    std::string const& where_;
    std::vector<zip_entry> entries_;
    name_index numbers_ = {};
    std::string folder_ = {};  // of all entries
    torch_tensors found_ = {};
};

PLATEAU_INLINE torch_tensors torch_reader::read() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto const& name = entries_[i].name;
        if (!numbers_.add(name).second) throw file_error(where_, ": it holds ", printable(name), " twice");
        if (name == "data.pkl" || name.ends_with("/data.pkl")) folder_ = name.substr(0, name.size() - 8);
    }
    if (numbers_.contains(folder_ + "byteorder")) {
        auto const order = entry(folder_ + "byteorder").bytes;
        if (order.empty() || order[0] != std::byte{'l'})
            throw file_error(where_, ": its numbers are big-endian; save it again on a little-endian machine");
    }
    constexpr std::size_t most = std::size_t{1} << 28;
    auto const& instructions = entry(folder_ + "data.pkl").bytes;
    if (instructions.size() > most)
        throw file_error(where_, ": its pickle is too long: ", instructions.size(), " bytes");
    torch_pickle pickle{instructions, where_};
    auto const& root = pickle.at(pickle.run());
    found_.tensors = tensor_table{where_};
    if (root.kind != pickled::type::dictionary)
        throw file_error(where_, ": it holds no dictionary of tensors; save a state_dict");
    for (std::size_t i = 0; i < root.items.size(); i += 2) {
        auto const& name = pickle.at(root.items[i]);
        auto const& value = pickle.at(root.items[i + 1]);
        if (name.kind != pickled::type::text) pickle.fail();
        if (value.kind != pickled::type::tensor) {
            throw file_error(where_, ": what it holds under ", printable(name.text),
                             " is no tensor; save the state_dict of a model alone");
        }
        add(pickle, name.text, value);
    }
    return std::move(found_);
}

PLATEAU_INLINE void torch_reader::add(torch_pickle const& pickle, std::string_view name, pickled const& tensor) {
    auto const& storage = pickle.at(tensor.items[0]);
    auto const type_name = tensor.text.empty() ? pickle.at(storage.items[0]).text : tensor.text;
    torch_type const* type = nullptr;
    for (auto const& one : torch_types) {
        if (type_name.substr(6) == (tensor.text.empty() ? one.storage : one.type)) type = &one;
    }
    if (type == nullptr) pickle.fail();
    auto const stored = entry(concat({folder_, "data/", storage.text})).bytes;
    stored_tensor added{{std::string{name}, std::string{type->stored}, {}}, 0, 0};
    std::string const here = concat({where_, ": tensor ", printable(name)});

    // its elements are those at offset + Σ iₐ strideₐ, which must lie in the storage
    auto const& sizes = pickle.tuple(tensor.items[2], 0);
    auto const& steps = pickle.tuple(tensor.items[3], sizes.size());
    auto const offset = pickle.integer(tensor.items[1]);
    auto const elements = static_cast<std::int64_t>(stored.size() / type->width);
    std::vector<index> strides;
    bool empty = false, beyond = offset < 0 || steps.size() != sizes.size();
    for (std::size_t a = 0; a < sizes.size() && !beyond; ++a) {
        auto const size = pickle.integer(sizes[a]), step = pickle.integer(steps[a]);
        added.info.shape.push_back(size);
        strides.push_back(step);
        empty |= size == 0;
        beyond = size < 0 || step < 0 || size > (std::int64_t{1} << 40);
    }
    std::int64_t left = elements - offset - 1, count = 1, run = 1;
    bool in_rows = true;
    for (std::size_t a = sizes.size(); a-- > 0 && !empty && !beyond;) {
        auto const size = added.info.shape[a], step = strides[a];
        if (size > 1 && step > 0) beyond = size - 1 > left / step;
        if (beyond) break;
        if (size > 1) left -= (size - 1) * step;
        if (size > 1 && step != run) in_rows = false;
        run *= size;
        // what is repeated, along a stride of 0, must not fill the memory
        beyond = count > static_cast<std::int64_t>(file_.size()) * 4 / size;
        count *= size;
    }
    if (beyond || (!empty && left < 0))
        throw file_error(here, " lies beyond its storage of ", elements, " elements; the file is cut or damaged");
    if (!empty) {
        auto const* const first = stored.data() + static_cast<std::size_t>(offset) * type->width;
        added.size = static_cast<std::size_t>(count) * type->width;
        added.begin = static_cast<std::size_t>(first - file_.data());
        if (!in_rows) {
            added.begin = file_.size() + found_.gathered.size();
            if (found_.gathered.size() + added.size > 4 * file_.size() + (std::size_t{1} << 20))
                throw file_error(here, " repeats its elements too often; save it by .contiguous()");
            gather(first, added.info.shape, strides, type->width);
        }
    }
    found_.tensors.add(std::move(added));
}

PLATEAU_INLINE void torch_reader::gather(std::byte const* from, std::vector<index> const& shape,
                                         std::vector<index> const& strides, std::size_t width) {
    std::vector<index> place(shape.size(), 0);
    while (true) {
        found_.gathered.insert(found_.gathered.end(), from, from + width);
        std::size_t axis = shape.size();
        while (axis > 0) {
            --axis;
            auto const stride = static_cast<std::ptrdiff_t>(width) * strides[axis];
            if (++place[axis] < shape[axis]) {
                from += stride;
                break;
            }
            from -= stride * (shape[axis] - 1);
            place[axis] = 0;
            if (axis == 0) return;
        }
    }
}

}  // namespace detail

PLATEAU_INLINE bool is_torch_file(std::span<std::byte const> file) {
    constexpr std::string_view zip = "PK\3\4", older = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    std::string_view const text{reinterpret_cast<char const*>(file.data()), file.size()};
    return text.starts_with(zip) || text.starts_with(older);
}

PLATEAU_INLINE torch_tensors read_torch_tensors(std::span<std::byte const> file, std::string const& where) {
    if (file.size() > 0 && file[0] == std::byte{0x80}) {
        throw file_error(where,
                         ": this is the form of torch.save before PyTorch 1.6; save it anew with\n"
                         "  python3 -c \"import sys, torch; f = sys.argv[1]; "
                         "torch.save(torch.load(f, weights_only=True), f)\" '",
                         where, "'");
    }
    return detail::torch_reader{file, where}.read();
}

}  // namespace plateau::io
