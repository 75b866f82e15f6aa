#include "runtime/executor.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <thread>

#include "runtime/error.h"
#include "runtime/threads.h"

namespace sardonyx {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxArena = std::size_t{1} << 46;
constexpr std::int64_t kSmallestTask = 16;
constexpr double kLikelyEntries = 64;                     // of a sparse row, for guesses at the cost of a step
constexpr std::size_t kMaxStaged = std::size_t{1} << 22;  // bytes of a sparse input made dense at a time, if it can be

// A step on the entries of sparse rows; the context's state is its kernel.
void run_by_element(const Step& step, std::int64_t rows, const Context& context) {
  const auto& kernel = *static_cast<const Kernel*>(context.state);
  Tensor tensors[kMaxByElement];
  const Step flat = by_element_step(step, tensors);
  const SparseRows* from = nullptr;
  for (int i = 0; i < step.n_inputs; ++i) {
    if (!step.inputs[i].sparse) continue;
    from = static_cast<const SparseRows*>(step.inputs[i].data);
    const auto* values = static_cast<const std::byte*>(from->values) + from->indptr[0] * item_size(tensors[i].dtype);
    tensors[i].data = const_cast<std::byte*>(values);
  }
  const std::int64_t begin = from->indptr[0], entries = from->indptr[rows] - begin;
  for (int i = 0; i < step.n_outputs; ++i) {
    auto& to = *static_cast<SparseRows*>(step.outputs[i].data);
    Tensor& tensor = tensors[step.n_inputs + i];
    const bool view = kernel.view && i == 0 && step.inputs[0].sparse && tensor.dtype == tensors[0].dtype;
    if (!view) reserve_entries(step.outputs[i], entries);
    tensor.data = view ? tensors[0].data : to.own_values;
    to.indptr = from->indptr;
    to.indices = from->indices;
    to.values = static_cast<std::byte*>(tensor.data) - begin * static_cast<std::int64_t>(item_size(tensor.dtype));
  }
  if (entries > 0) kernel.run(flat, entries, {nullptr, nullptr});
}

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool same_form(const Slot& one, const Slot& other) {
  return one.tensor.dtype == other.tensor.dtype && one.tensor.width == other.tensor.width &&
         one.tensor.sparse == other.tensor.sparse;
}

// Threads come back to the place where they left their frame, which is still in their core's cache.
std::size_t first_place() {
  static std::atomic<std::size_t> counter{0};
  thread_local const std::size_t mine = counter.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace

// ---- frames --------------------------------------------------------------------------------------------------------

// One thread's copy of the plan: the kernels to call with tensors that point into its own arena.
struct Frame {
  struct Call {
    void (*run)(const Step&, std::int64_t, const Context&);
    Step step;
    Context context;
  };

  Frame(const Schedule& schedule, const Schedule::Layout& layout) : schedule(schedule), layout_rows(layout.rows) {
    if (layout.bytes > 0)
      arena.reset(static_cast<std::byte*>(::operator new(layout.bytes, std::align_val_t{kAlignment})));
    sparse.reserve(schedule.sparse_.size());  // tensors point to the elements
    for (const DType dtype : schedule.sparse_) sparse.emplace_back(dtype, layout.rows);
    for (const std::int32_t index : schedule.steps_) add_tensors(schedule.program_.steps()[index], layout);
    const Tensor* at = tensors.data();
    for (const std::int32_t index : schedule.steps_) at = add_call(schedule.program_.steps()[index], layout, at);
  }

  void run(const Arrays& arrays, std::int64_t first, std::int64_t rows) {
    for (const Schedule::Patch& patch : schedule.patches_) {
      void* base = patch.output ? arrays.outputs[patch.index] : const_cast<void*>(arrays.inputs[patch.index]);
      const bool staged = !patch.output && arrays.csr(patch.index) != nullptr;
      tensors[patch.tensor].data = staged ? nullptr : static_cast<std::byte*>(base) + first * patch.row_bytes;
    }
    if (arrays.sparse_inputs != nullptr) stage_inputs(arrays, first, rows);
    for (const Schedule::SparseInput& input : schedule.sparse_inputs_) read_sparse(input, arrays, first, rows);
    std::size_t at = 0;
    try {
      for (; at < calls.size(); ++at) calls[at].run(calls[at].step, rows, calls[at].context);
    } catch (const Error& error) {
      const std::string& label = schedule.program_.steps()[schedule.steps_[at]].label;
      throw Error(label.empty() ? error.what() : label + ": " + error.what());
    }
    for (const Schedule::Copy& copy : schedule.copies_) copy_rows(copy, arrays, first, rows);
    for (const Schedule::SparseOutput& output : schedule.sparse_outputs_) write_sparse(output, arrays, first, rows);
  }

 private:
  // Sparse rows for inputs that the program takes dense: made dense here, for this block only.
  struct Staged {
    std::int32_t input;
    SparseBuffer rows;
    std::vector<std::byte> dense;
  };

  void stage_inputs(const Arrays& arrays, std::int64_t first, std::int64_t rows) {
    const auto& inputs = schedule.program_.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto input = static_cast<std::int32_t>(i);
      const Slot& slot = schedule.program_.slots()[inputs[i]];
      if (slot.tensor.sparse || arrays.csr(input) == nullptr) continue;
      Staged& place = staged_of(input, slot.tensor.dtype);
      place.rows.load(*arrays.csr(input), first, rows, slot.tensor.width);
      place.dense.resize(std::max(place.dense.size(), rows * slot.row_bytes + kAlignment));
      place.rows.expand(place.dense.data(), rows, slot.tensor.width);
      for (const Schedule::Patch& patch : schedule.patches_) {
        if (!patch.output && patch.index == input) tensors[patch.tensor].data = place.dense.data();
      }
    }
  }

  Staged& staged_of(std::int32_t input, DType dtype) {
    for (Staged& place : staged) {
      if (place.input == input) return place;
    }
    return staged.emplace_back(Staged{input, SparseBuffer(dtype, layout_rows), {}});
  }

  void read_sparse(const Schedule::SparseInput& input, const Arrays& arrays, std::int64_t first, std::int64_t rows) {
    SparseBuffer& buffer = sparse[input.buffer];
    if (const Csr* csr = arrays.csr(input.input)) return buffer.load(*csr, first, rows, input.width);
    const auto* dense = static_cast<const std::byte*>(arrays.inputs[input.input]);
    buffer.compress(dense + first * input.row_bytes, rows, input.width);
  }

  void write_sparse(const Schedule::SparseOutput& output, const Arrays& arrays, std::int64_t first, std::int64_t rows) {
    SparseBuffer& buffer = sparse[output.buffer];
    if (SparseResult* result = arrays.result(output.output))
      return result->add(first, rows, buffer.rows(), output.item);
    auto* dense = static_cast<std::byte*>(arrays.outputs[output.output]);
    buffer.expand(dense + first * output.row_bytes, rows, output.width);
  }

  struct Release {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{kAlignment}); }
  };

  void add_tensors(const LoadedStep& loaded, const Schedule::Layout& layout) {
    std::size_t k = 0;
    for (const auto* list : {&loaded.inputs, &loaded.outputs}) {
      for (const std::int32_t slot : *list) {
        Tensor tensor = loaded.tensors[k++];
        const Schedule::Place& place = schedule.places_[schedule.places_[slot].root];
        if (place.home == Schedule::Home::arena) tensor.data = arena.get() + layout.buffer_at[place.index];
        if (place.home == Schedule::Home::sparse) tensor.data = &sparse[place.index].rows();
        tensors.push_back(tensor);
      }
    }
  }

  const Tensor* add_call(const LoadedStep& loaded, const Schedule::Layout& layout, const Tensor* at) {
    Step step = loaded.step;
    step.inputs = at;
    step.outputs = at + step.n_inputs;
    if (loaded.by_element) {
      calls.push_back({run_by_element, step, {nullptr, &loaded.entry->kernel}});
    } else {
      calls.push_back({loaded.entry->kernel.run, step, {arena.get() + layout.scratch_at, loaded.state}});
    }
    return step.outputs + step.n_outputs;
  }

  void copy_rows(const Schedule::Copy& copy, const Arrays& arrays, std::int64_t first, std::int64_t rows) {
    if (copy.row_bytes == 0) return;
    auto* to = static_cast<std::byte*>(arrays.outputs[copy.output]) + first * copy.row_bytes;
    if (copy.input >= 0 && arrays.csr(copy.input) != nullptr) {
      const Slot& slot = schedule.program_.slots()[schedule.program_.inputs()[copy.input]];
      return staged_of(copy.input, slot.tensor.dtype).rows.expand(to, rows, slot.tensor.width);
    }
    if (copy.input >= 0) {
      const auto* from = static_cast<const std::byte*>(arrays.inputs[copy.input]) + first * copy.row_bytes;
      std::memcpy(to, from, rows * copy.row_bytes);
      return;
    }
    for (std::int64_t r = 0; r < rows; ++r) std::memcpy(to + r * copy.row_bytes, copy.constant, copy.row_bytes);
  }

  const Schedule& schedule;
  std::int64_t layout_rows;
  std::unique_ptr<std::byte, Release> arena;
  std::vector<SparseBuffer> sparse;
  std::vector<Staged> staged;
  std::vector<Tensor> tensors;
  std::vector<Call> calls;
};

FramePool::~FramePool() {
  for (auto& place : places_) delete place.load();
}

Frame* FramePool::take() {
  const std::size_t first = first_place();
  for (int i = 0; i < kPlaces; ++i) {
    auto& place = places_[(first + i) % kPlaces];
    if (place.load(std::memory_order_relaxed) == nullptr) continue;
    if (Frame* frame = place.exchange(nullptr, std::memory_order_acquire)) return frame;
  }
  return nullptr;
}

void FramePool::give(Frame* frame) {
  const std::size_t first = first_place();
  for (int i = 0; i < kPlaces; ++i) {
    Frame* empty = nullptr;
    if (places_[(first + i) % kPlaces].compare_exchange_strong(empty, frame, std::memory_order_release)) return;
  }
  delete frame;
}

namespace {

// A frame for the time of a call; goes back to rest also when a step threw.
template <class Make>
class Borrowed {
 public:
  Borrowed(FramePool& pool, const Make& make) : pool_(pool), frame_(pool.take()) {
    if (frame_ == nullptr) frame_ = make();
  }
  ~Borrowed() { pool_.give(frame_); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Frame* operator->() const { return frame_; }

 private:
  FramePool& pool_;
  Frame* frame_;
};

}  // namespace

// ---- the plan ------------------------------------------------------------------------------------------------------

Schedule::Schedule(const Program& program, std::vector<std::int32_t> outputs)
    : program_(program), outputs_(std::move(outputs)), places_(program.slots().size()) {
  for (std::size_t slot = 0; slot < places_.size(); ++slot) places_[slot].root = static_cast<std::int32_t>(slot);
  choose_steps();
  place_interface();
  share_memory();
  allocate_buffers();
  list_patches();
  pace_.guess(guessed_cost());
  one_row_ = layout_for(1);
  block_ = layout_for(std::max<std::int64_t>(program.block_rows(), 1));
}

// A step runs when a chosen output depends on it, or when nobody at all reads its results: such a step is there for
// what it refuses, and leaving it out would let bad values pass.
void Schedule::choose_steps() {
  const auto& steps = program_.steps();
  std::vector<bool> read(places_.size(), false), wanted(places_.size(), false);
  for (const LoadedStep& step : steps) {
    for (const std::int32_t slot : step.inputs) read[slot] = true;
  }
  for (const std::int32_t slot : program_.outputs()) read[slot] = true;
  for (const std::int32_t output : outputs_) wanted[program_.outputs()[output]] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    const auto& results = steps[i].outputs;
    const bool needed = std::any_of(results.begin(), results.end(), [&](std::int32_t slot) { return wanted[slot]; });
    const bool sink = std::none_of(results.begin(), results.end(), [&](std::int32_t slot) { return read[slot]; });
    if (!needed && !sink) continue;
    for (const std::int32_t slot : steps[i].inputs) wanted[slot] = true;
    steps_.push_back(static_cast<std::int32_t>(i));
  }
  std::reverse(steps_.begin(), steps_.end());
}

void Schedule::place_interface() {
  for (std::size_t slot = 0; slot < places_.size(); ++slot) {
    if (program_.slots()[slot].role == Role::constant) places_[slot].home = Home::constant;
  }
  for (std::size_t i = 0; i < program_.inputs().size(); ++i) {
    const std::int32_t slot = program_.inputs()[i];
    const auto input = static_cast<std::int32_t>(i);
    const Slot& info = program_.slots()[slot];
    if (info.tensor.sparse) {
      sparse_inputs_.push_back({input, new_sparse(slot), info.tensor.width, info.row_bytes});
    } else {
      places_[slot] = {Home::input, input, slot, -1};
    }
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const std::int32_t slot = program_.outputs()[outputs_[k]];
    Place& place = places_[slot];
    const Slot& info = program_.slots()[slot];
    const auto output = static_cast<std::int32_t>(k);
    if (info.tensor.sparse) {
      const std::int32_t buffer = place.home == Home::sparse ? place.index : new_sparse(slot);
      sparse_outputs_.push_back({output, buffer, info.tensor.width, info.row_bytes, item_size(info.tensor.dtype)});
    } else if (place.home == Home::none) {
      place = {Home::output, output, slot, -1};
    } else if (place.home == Home::input) {
      copies_.push_back({output, place.index, nullptr, info.row_bytes});
    } else if (place.home == Home::constant) {
      copies_.push_back({output, -1, info.tensor.data, info.row_bytes});
    } else {  // the same output chosen twice
      throw Error("the output '" + info.name + "' is asked for twice");
    }
  }
}

std::int32_t Schedule::new_sparse(std::int32_t slot) {
  const auto number = static_cast<std::int32_t>(sparse_.size());
  sparse_.push_back(program_.slots()[slot].tensor.dtype);
  places_[slot] = {Home::sparse, number, slot, -1};
  return number;
}

// A view's output is its input's memory, unless it has to be written to the caller's array. Then the last reader of
// every piece of memory is known.
void Schedule::share_memory() {
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    const LoadedStep& loaded = program_.steps()[steps_[at]];
    for (const std::int32_t slot : loaded.inputs) places_[places_[slot].root].last_use = static_cast<std::int32_t>(at);
    if (!loaded.entry->kernel.view || loaded.inputs.empty() || loaded.outputs.empty()) continue;
    const std::int32_t from = loaded.inputs[0], to = loaded.outputs[0];
    if (program_.slots()[from].role == Role::constant || places_[to].home == Home::output) continue;
    if (program_.slots()[from].tensor.sparse) continue;
    if (same_form(program_.slots()[from], program_.slots()[to])) places_[to].root = places_[from].root;
  }
  for (Place& place : places_) {
    if (place.root >= 0) place.home = places_[place.root].home;
  }
}

void Schedule::allocate_buffers() {
  std::vector<std::vector<std::int32_t>> dying(steps_.size());  // roots whose memory is free after a step
  const auto expire = [&](std::int32_t root, std::size_t at) {
    const std::int32_t last = std::max(places_[root].last_use, static_cast<std::int32_t>(at));
    dying[last].push_back(root);
  };
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    const LoadedStep& loaded = program_.steps()[steps_[at]];
    for (std::size_t k = 0; k < loaded.outputs.size(); ++k) {
      const std::int32_t slot = loaded.outputs[k];
      Place& place = places_[slot];
      if (place.root != slot || place.home != Home::none) continue;
      if (program_.slots()[slot].tensor.sparse) {
        new_sparse(slot);
        continue;
      }
      place.home = Home::arena;
      const std::int32_t donor = loaded.inputs.empty() ? -1 : places_[loaded.inputs[0]].root;
      if (k == 0 && takes_over(static_cast<std::int32_t>(at), loaded)) {
        place.index = places_[donor].index;
        std::erase(dying[at], donor);
      } else {
        place.index = free_buffer(program_.slots()[slot].row_bytes);
      }
      expire(slot, at);
    }
    for (const std::int32_t root : dying[at]) buffers_[places_[root].index].free = true;
  }
}

bool Schedule::takes_over(std::int32_t step, const LoadedStep& loaded) const {
  if (!loaded.entry->kernel.in_place || loaded.inputs.empty()) return false;
  const std::int32_t from = loaded.inputs[0], root = places_[from].root;
  const auto same = [&](std::int32_t slot) { return places_[slot].root == root; };
  return places_[root].home == Home::arena && places_[root].last_use == step &&
         std::count_if(loaded.inputs.begin(), loaded.inputs.end(), same) == 1 &&
         same_form(program_.slots()[from], program_.slots()[loaded.outputs[0]]);
}

// The smallest free buffer that is large enough; else the largest free one, grown; else a new one.
std::int32_t Schedule::free_buffer(std::size_t row_bytes) {
  Buffer* fit = nullptr;
  Buffer* largest = nullptr;
  for (Buffer& buffer : buffers_) {
    if (!buffer.free) continue;
    if (largest == nullptr || buffer.row_bytes > largest->row_bytes) largest = &buffer;
    if (buffer.row_bytes >= row_bytes && (fit == nullptr || buffer.row_bytes < fit->row_bytes)) fit = &buffer;
  }
  if (fit == nullptr) fit = largest;
  if (fit == nullptr) fit = &buffers_.emplace_back(Buffer{0, true});
  fit->row_bytes = std::max(fit->row_bytes, row_bytes);
  fit->free = false;
  return static_cast<std::int32_t>(fit - buffers_.data());
}

void Schedule::list_patches() {
  std::int32_t tensor = 0;
  for (const std::int32_t index : steps_) {
    const LoadedStep& loaded = program_.steps()[index];
    for (const auto* list : {&loaded.inputs, &loaded.outputs}) {
      for (const std::int32_t slot : *list) {
        const Place& place = places_[places_[slot].root];
        const bool output = place.home == Home::output;
        const std::size_t row_bytes = program_.slots()[slot].row_bytes;
        if (output || place.home == Home::input) patches_.push_back({tensor, output, place.index, row_bytes});
        ++tensor;
      }
    }
  }
}

// Without a kernel's own word: four elements a nanosecond, a constant's element is used once for every row.
double Schedule::guessed_cost() const {
  double cost = 0;
  for (const std::int32_t index : steps_) {
    const LoadedStep& loaded = program_.steps()[index];
    if (loaded.entry->kernel.cost != nullptr) {
      cost += loaded.entry->kernel.cost(loaded.step);
      continue;
    }
    double elements = 4;
    for (const Tensor& tensor : loaded.tensors) {
      elements += std::min<double>(static_cast<double>(tensor.width), tensor.sparse ? kLikelyEntries : 4096);
    }
    cost += elements / 4;
  }
  return cost;
}

Schedule::Layout Schedule::layout_for(std::int64_t rows) const {
  Layout layout{rows, {}, 0, 0};
  for (const Buffer& buffer : buffers_) {
    layout.buffer_at.push_back(layout.bytes);
    layout.bytes += aligned(buffer.row_bytes * static_cast<std::size_t>(rows));
    if (layout.bytes > kMaxArena) throw Error("the program needs too much memory for a block of rows");
  }
  layout.scratch_at = layout.bytes;
  std::size_t scratch = 0;
  for (const std::int32_t index : steps_) {
    const LoadedStep& loaded = program_.steps()[index];
    if (loaded.entry->kernel.scratch == nullptr) continue;
    scratch = std::max(scratch, loaded.entry->kernel.scratch(loaded.step, rows));
  }
  if (scratch > kMaxArena) throw Error("the program needs too much memory for a block of rows");
  layout.bytes += aligned(scratch);
  return layout;
}

// ---- running -------------------------------------------------------------------------------------------------------

// Rows that pass through the steps together: fewer where sparse inputs have to be made dense.
std::int64_t Schedule::block_rows(const Arrays& arrays) const {
  std::int64_t most = block_.rows;
  for (std::size_t i = 0; arrays.sparse_inputs != nullptr && i < program_.inputs().size(); ++i) {
    const Slot& slot = program_.slots()[program_.inputs()[i]];
    if (slot.tensor.sparse || arrays.sparse_inputs[i] == nullptr) continue;
    most = std::min(most, static_cast<std::int64_t>(kMaxStaged / std::max<std::size_t>(1, slot.row_bytes)));
  }
  return std::max<std::int64_t>(1, most);
}

void Schedule::run(const Arrays& arrays, std::int64_t rows, int threads) const {
  if (rows == 1) {
    const auto make = [this] { return new Frame(*this, one_row_); };
    Borrowed(one_row_frames_, make)->run(arrays, 0, 1);
  } else if (program_.block_rows() == 0) {
    run_whole(arrays, rows);
  } else {
    const int most = threads > 0 ? threads : hardware_threads();
    const int useful = rows < 2 * kSmallestTask ? 1 : pace_.threads_for(rows, most);
    useful > 1 ? run_in_parallel(arrays, rows, useful) : run_serially(arrays, rows);
  }
}

void Schedule::run_whole(const Arrays& arrays, std::int64_t rows) const {
  if (rows > 0) Frame(*this, layout_for(rows)).run(arrays, 0, rows);
}

void Schedule::run_serially(const Arrays& arrays, std::int64_t rows) const {
  if (rows == 0) return;
  const auto make = [this] { return new Frame(*this, block_); };
  const Borrowed frame(block_frames_, make);
  const std::int64_t block = block_rows(arrays);
  pace_.watch(rows, [&] {
    for (std::int64_t first = 0; first < rows; first += block) {
      frame->run(arrays, first, std::min(block, rows - first));
    }
  });
}

namespace {

// What the threads of one call share. Errors are kept by block, so that the caller sees the first one in row order.
struct Shared {
  std::mutex mutex;
  std::int64_t failed_at = -1;
  std::exception_ptr error{};

  void keep(std::int64_t first) {
    const std::lock_guard lock(mutex);
    if (error != nullptr && failed_at < first) return;
    failed_at = first;
    error = std::current_exception();
  }
};

// Rows are handed out in tasks: large ones first, for a thread to stay with its rows, then smaller ones, for all threads
// to end together. A task is never more than a block.
struct Tasks {
  std::int64_t rows, most;
  int threads;
  std::atomic<std::int64_t> next{0};

  // Sets where the task begins; returns its rows, none when all are handed out.
  std::int64_t take(std::int64_t& first) {
    first = next.load(std::memory_order_relaxed);
    for (;;) {
      if (first >= rows) return 0;
      const std::int64_t share =
          std::max((rows - first) / (std::int64_t{2} * threads), rows / (std::int64_t{6} * threads));
      const std::int64_t round = (share + kSmallestTask) / kSmallestTask * kSmallestTask;
      const std::int64_t size = std::min({round, most, rows - first});
      if (next.compare_exchange_weak(first, first + size, std::memory_order_relaxed)) return size;
    }
  }

  void stop() { next.store(rows, std::memory_order_relaxed); }
};

}  // namespace

void Schedule::run_in_parallel(const Arrays& arrays, std::int64_t rows, int threads) const {
  struct Work {
    const Schedule& schedule;
    const Arrays& arrays;
    Tasks tasks;
    Shared shared;
  } work{*this, arrays, {rows, block_rows(arrays), threads}, {}};
  const auto body = [](void* context) {
    auto& [schedule, arrays, tasks, shared] = *static_cast<Work*>(context);
    std::int64_t first = 0;
    try {
      const auto make = [&schedule] { return new Frame(schedule, schedule.block_); };
      const Borrowed frame(schedule.block_frames_, make);
      while (const std::int64_t count = tasks.take(first)) {
        schedule.pace_.watch(count, [&] { frame->run(arrays, first, count); });
      }
    } catch (...) {
      tasks.stop();
      shared.keep(first);
    }
  };
  run_on_threads(threads, body, &work);
  if (work.shared.error != nullptr) std::rethrow_exception(work.shared.error);
}

// ---- schedules -----------------------------------------------------------------------------------------------------

Executor::Executor(const Program& program) : program_(program) {
  std::vector<std::int32_t> all(program.outputs().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i);
  all_ = std::make_unique<Schedule>(program, std::move(all));
}

const Schedule& Executor::for_outputs(std::span<const std::int32_t> outputs) const {
  if (std::ranges::equal(all_->outputs(), outputs)) return *all_;
  const std::lock_guard lock(mutex_);
  for (const auto& schedule : chosen_) {
    if (std::ranges::equal(schedule->outputs(), outputs)) return *schedule;
  }
  chosen_.push_back(std::make_unique<Schedule>(program_, std::vector<std::int32_t>(outputs.begin(), outputs.end())));
  return *chosen_.back();
}

}  // namespace sardonyx
