#pragma once
/// Bodies of program/long_run/long_runs.hpp.

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <plateau/backend/cpu/choose_instruction_set.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/core/stopwatch.hpp>
#include <plateau/program/long_run/long_runs.hpp>
#include <plateau/program/long_run/shared_weights.hpp>
#include <plateau/program/sha256.hpp>

namespace plateau::program {

namespace detail {

enum rank_tag : int { asks = 10, dealt, gives, shares };

/// Numbers, and bytes behind them, as a message.
PLATEAU_PROGRAM_INLINE std::vector<std::byte> packed(std::vector<index> const& numbers,
                                                     std::span<std::byte const> behind = {}) {
    auto const front = std::as_bytes(std::span{numbers});
    std::vector<std::byte> all{front.begin(), front.end()};
    all.insert(all.end(), behind.begin(), behind.end());
    return all;
}
template <std::size_t N>
std::array<index, N> numbers_in(std::span<std::byte const> message) {
    std::array<index, N> numbers{};
    if (message.size() < sizeof numbers) throw std::logic_error("a message between ranks is too short");
    std::memcpy(numbers.data(), message.data(), sizeof numbers);
    return numbers;
}

PLATEAU_PROGRAM_INLINE std::string sha256_of_file(std::filesystem::path const& path) {
    std::ifstream from{path, std::ios::binary};
    sha256 all;
    std::vector<char> piece(1 << 20);
    while (from.read(piece.data(), std::ssize(piece)) || from.gcount() > 0)
        all.add(std::as_bytes(std::span{piece}.first(static_cast<std::size_t>(from.gcount()))));
    return all.hex();
}

/// The tokens of all prompts and the numbers of all pairs.
PLATEAU_PROGRAM_INLINE std::string sha256_of_work(sweep_work const& work) {
    sha256 all;
    auto const add = [&](std::vector<index> const& numbers) { all.add(std::as_bytes(std::span{numbers})); };
    add({work.count, work.points, std::ssize(work.prompts)});
    for (auto const& prompt : work.prompts) {
        add({std::ssize(prompt)});
        all.add(std::as_bytes(std::span{prompt}));
    }
    for (auto const& pair : work.pairs) add({pair.from, pair.to, pair.context});
    return all.hex();
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE void long_runs::add_options(command_line& app) {
    sweeps_ = true;
    auto const fresh = app.add_option("--journal", &journal_path_,
                                      "keep finished pieces of the sweep in this file, which must not exist yet, so "
                                      "that any end of the process can be resumed");
    app.add_option("--resume", &resume_path_, "go on from the journal of the same command, and leave the same files")
        .excludes(fresh);
}

PLATEAU_PROGRAM_INLINE void long_runs::join() {
    ranks_ = std::make_unique<ranks>();
    if (launched() && !sweeps_ && !ranks_->first()) throw part_done{};
    if (!joined_others()) return;
    shared_ = std::make_unique<weights_of_machine>(*ranks_);
    // the bits are those of rank 0's processor; one that cannot make them says so where it loads
    auto const kind = ranks_->told_by_first(std::string(backend::name_of(backend::chosen_instruction_set())));
    if (ranks_->first()) return;
    setenv("PLATEAU_INSTRUCTION_SET", kind.c_str(), 1);
    std::cerr.setstate(std::ios::failbit);  // what rank 0 says is said once
}

PLATEAU_PROGRAM_INLINE int long_runs::threads_of_rank(int asked) const {
    if (asked > 0 || !joined_others()) return asked;
    return std::max(1, resolve_threads(0) / ranks_->count_here());
}

PLATEAU_PROGRAM_INLINE void long_runs::give_up(std::string const& program, std::string const& problem, int status) {
    journal_.reset();  // what is finished is there, and closed
    ranks_->give_up(program, problem, status);
}

PLATEAU_PROGRAM_INLINE void long_runs::open(command_line const& app) {
    if (journal_ || !writes() || (journal_path_.empty() && resume_path_.empty())) return;
    auto const how = resume_path_.empty() ? journal::opening::fresh : journal::opening::resumed;
    journal_ = std::make_unique<journal>(how == journal::opening::fresh ? journal_path_ : resume_path_, how,
                                         [](std::string const& line) { std::cerr << line << '\n'; });
    interruption_ = std::make_unique<interruption>();
    std::vector<std::string> names;
    journal_->require("program", app.name() + " " + PLATEAU_VERSION, true);
    for (auto const& [name, value] : app.given()) {
        if (changes_nothing(name)) continue;
        names.push_back("option " + name);
        journal_->require(names.back(), value, true);
        std::error_code ignored;
        if (name == "--model" || !std::filesystem::is_regular_file(value, ignored)) continue;
        names.push_back("option " + name + ": content of its file");
        journal_->require(names.back(), detail::sha256_of_file(value), true);
    }
    journal_->require_only("option ", names);
}

PLATEAU_PROGRAM_INLINE void long_runs::describe(std::vector<std::pair<std::string, std::string>> const& facts) {
    if (!journal_) return;
    for (auto const& [name, value] : facts) journal_->require(concat({name, " of sweep ", sweep_ + 2}), value);
}

PLATEAU_PROGRAM_INLINE std::string long_runs::counted_from(index first, index, std::string const& text) {
    if (first == 0) return text;
    return concat({text, " (counted within a piece that begins at ", first, ")"});
}

PLATEAU_PROGRAM_INLINE void long_runs::keep(chunk_place where, std::vector<std::byte> content) {
    where.sweep = sweep_;
    if (journal_) journal_->add(where, content);
    else kept_.emplace(where, std::make_shared<std::vector<std::byte> const>(std::move(content)));
    places_.push_back(where);
}

PLATEAU_PROGRAM_INLINE void long_runs::end_early(index left) const {
    throw interrupted_error("interrupted with ", left, " left; what is finished is safe. Go on with --resume ",
                            journal_->path().string());
}

PLATEAU_PROGRAM_INLINE void long_runs::run(sweep_work const& work, meter& meter, chunk_maker const& make) {
    if (!ranks_) throw std::logic_error("long_runs: a sweep before join()");
    ++sweep_;
    places_.clear(), kept_.clear();
    dealing how{.count = work.count, .points = work.points, .workers = count(), .rows = meter.wave_rows};
    if (!writes()) return run_one_of_many(make, dealer{how, {}}.chunk());
    if (journal_) {
        journal_->require(concat({"prompts and pairs of sweep ", sweep_ + 1}), detail::sha256_of_work(work));
        places_ = journal_->chunks(sweep_);
    }
    index finished = 0;
    for (auto const& one : places_) finished += one.count;
    resumed_points_ += finished * work.points;
    meter.resumed += finished * work.points;
    if (finished > 0) meter.counter()(finished * work.points);
    dealer deals{how, places_};
    chunk_taker const take = [&](chunk_place const& where, std::vector<std::byte> content) {
        finished += where.count;
        keep(where, std::move(content));
    };
    if (joined_others()) run_first_of_many(deals, make, take, meter, work.points);
    else run_alone(deals, make, take);
    std::sort(places_.begin(), places_.end());
    if (finished < work.count) end_early(work.count - finished);
}

PLATEAU_PROGRAM_INLINE void long_runs::run_alone(dealer& deals, chunk_maker const& make, chunk_taker const& take) {
    while (auto const piece = deals.next()) {
        stopwatch const watch;
        make(piece->first, piece->second, deals.chunk(), take);
        deals.took(piece->second, watch.seconds());
        if (interruption::wished()) break;
    }
}

PLATEAU_PROGRAM_INLINE void long_runs::run_first_of_many(dealer& deals, chunk_maker const& make,
                                                         chunk_taker const& take, meter& meter, index points) {
    // this thread listens and keeps, another one computes
    std::mutex guard;
    std::vector<std::pair<chunk_place, std::vector<std::byte>>> finished;
    std::atomic<bool> computing = true;
    std::exception_ptr problem;
    std::thread worker{[&] {
        try {
            while (auto const piece = deals.next()) {
                stopwatch const watch;
                make(piece->first, piece->second, deals.chunk(),
                     [&](chunk_place const& where, std::vector<std::byte> content) {
                    std::lock_guard const lock{guard};
                    finished.emplace_back(where, std::move(content));
                });
                deals.took(piece->second, watch.seconds());
            }
        } catch (...) {
            problem = std::current_exception();
        }
        computing = false;
    }};
    struct joiner {
        std::thread& of;
        dealer& deals;
        ~joiner() { deals.stop(), of.join(); }
    } const at_the_end{worker, deals};
    for (int busy = ranks_->count() - 1; busy > 0 || computing;) {  // until every rank was told that nothing is left
        if (interruption_ && interruption::wished()) deals.stop();
        // what this rank has computed
        std::vector<std::pair<chunk_place, std::vector<std::byte>>> own;
        {
            std::lock_guard const lock{guard};
            own.swap(finished);
        }
        for (auto& [where, content] : own) take(where, std::move(content));
        if (problem && !computing) break;
        // what another one says: a finished chunk, or that it has nothing to do
        auto const message = ranks_->received();
        if (!message) {
            ranks::pause();
            continue;
        }
        if (message->tag == detail::gives) {
            auto const [first, count] = detail::numbers_in<2>(message->content);
            take({0, first, count}, {message->content.begin() + 2 * sizeof(index), message->content.end()});
            meter.counter()(count * points);
            continue;
        }
        auto const [things, microseconds] = detail::numbers_in<2>(message->content);
        if (things > 0) deals.took(things, static_cast<double>(microseconds) * 1e-6);
        auto const piece = deals.next();
        busy -= piece ? 0 : 1;
        ranks_->send(message->from, detail::dealt,
                     piece ? detail::packed({piece->first, piece->second, 0})
                           : detail::packed({0, 0, interruption_ && interruption::wished() ? 1 : 0}));
    }
    if (problem) std::rethrow_exception(problem);
    // what came between the last look and the end
    std::lock_guard const lock{guard};
    for (auto& [where, content] : finished) take(where, std::move(content));
}

PLATEAU_PROGRAM_INLINE void long_runs::run_one_of_many(chunk_maker const& make, index chunk) {
    index things = 0, microseconds = 0;
    for (;;) {
        ranks_->send(0, detail::asks, detail::packed({things, microseconds}));
        auto const answer = ranks_->wait_for(detail::dealt);
        auto const [first, count, interrupted] = detail::numbers_in<3>(answer.content);
        if (count == 0 && interrupted != 0) throw part_done{};
        if (count == 0) return;
        stopwatch const watch;
        make(first, count, chunk, [&](chunk_place const& where, std::vector<std::byte> content) {
            ranks_->send(0, detail::gives, detail::packed({where.first, where.count}, content));
        });
        things = count, microseconds = static_cast<index>(watch.seconds() * 1e6) + 1;
    }
}

PLATEAU_PROGRAM_INLINE stored_pieces long_runs::own_pieces() const {
    return {places_, [this](chunk_place const& where) {
                auto const found = kept_.find(where);
                return found != kept_.end() ? *found->second : journal_->read(where);
            }};
}

PLATEAU_PROGRAM_INLINE stored_pieces long_runs::shared_pieces() {
    if (!joined_others()) return own_pieces();
    if (ranks_->first()) {
        auto const mine = own_pieces();
        for (auto const& one : places_) {
            auto const message = detail::packed({one.first, one.count}, mine.read(one));
            for (int to = 1; to < ranks_->count(); ++to) ranks_->send(to, detail::shares, message);
        }
        for (int to = 1; to < ranks_->count(); ++to) ranks_->send(to, detail::shares, detail::packed({0, 0}));
        return mine;
    }
    for (;;) {
        auto const message = ranks_->wait_for(detail::shares);
        auto const [first, count] = detail::numbers_in<2>(message.content);
        if (count == 0) break;
        keep({sweep_, first, count}, {message.content.begin() + 2 * sizeof(index), message.content.end()});
    }
    return own_pieces();
}

}  // namespace plateau::program
