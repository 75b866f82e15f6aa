// How a Schedule is made: the steps that are needed, where every slot lives, and how large a frame is.
#include <algorithm>

#include "runtime/error.h"
#include "runtime/executor.h"
#include "runtime/frame.h"

namespace sardonyx {
namespace {

constexpr std::size_t kMaxArena = std::size_t{1} << 46;
constexpr double kLikelyEntries = 64;  // of a sparse row, for guesses at the cost of a step

std::size_t aligned(std::size_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool same_form(const Slot& one, const Slot& other) {
  return one.tensor.dtype == other.tensor.dtype && one.tensor.width == other.tensor.width &&
         one.tensor.sparse == other.tensor.sparse;
}

}  // namespace

Schedule::Schedule(const Program& program, std::vector<std::int32_t> outputs)
    : program_(program),
      outputs_(std::move(outputs)),
      bytes_of_numbers_(count_bytes()),
      places_(program.slots().size()) {
  for (std::size_t slot = 0; slot < places_.size(); ++slot) places_[slot].root = static_cast<std::int32_t>(slot);
  choose_steps();
  place_interface();
  share_memory();
  allocate_buffers();
  list_patches();
  pace_.guess(guessed_cost());
  list_pieces();
  one_row_ = layout_for(1);
  block_ = layout_for(std::max<std::int64_t>(program.block_rows(), 1));
}

std::int64_t Schedule::count_bytes() const {
  std::int64_t bytes = 0;
  for (const std::int32_t output : outputs_) {
    const Slot& slot = program_.slots()[program_.outputs()[output]];
    if (slot.tensor.dtype == DType::text || slot.tensor.sparse) return -1;
    bytes += static_cast<std::int64_t>(slot.row_bytes);
  }
  return bytes;
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
      sparse_inputs_.push_back({input, new_sparse(slot), info.tensor.width, info.row_bytes, takes_any_entries(slot)});
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
      sparse_outputs_.push_back({output, buffer, info.tensor.width, info.row_bytes});
    } else if (place.home == Home::none) {
      place = {Home::output, output, slot, -1};
    } else if (place.home == Home::input) {
      copies_.push_back({output, place.index, nullptr, info.row_bytes});
    } else if (place.home == Home::constant) {
      copies_.push_back({output, -1, info.tensor.data, info.row_bytes});
    } else {  // the same output chosen twice
      throw Error("the output '" + info.name + "' is asked for twice; name it once");
    }
  }
}

// Whether all that becomes of the rows of a slot is up to kernels that check and order nothing but for themselves.
bool Schedule::takes_any_entries(std::int32_t slot) const {
  const auto is_slot = [slot](std::int32_t other) { return other == slot; };
  if (std::ranges::any_of(outputs_, [&](std::int32_t output) { return program_.outputs()[output] == slot; }))
    return false;
  bool taken = false;
  for (const std::int32_t step : steps_) {
    const LoadedStep& loaded = program_.steps()[step];
    if (std::ranges::none_of(loaded.inputs, is_slot)) continue;
    if (!loaded.entry->kernel.any_entries) return false;
    taken = true;
  }
  return taken;
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
    if (layout.bytes > kMaxArena) throw Error("the program needs too much memory for a block of rows; give fewer rows");
  }
  layout.scratch_at = layout.bytes;
  std::size_t scratch = 0;
  for (const std::int32_t index : steps_) {
    const LoadedStep& loaded = program_.steps()[index];
    if (loaded.entry->kernel.scratch == nullptr) continue;
    scratch = std::max(scratch, loaded.entry->kernel.scratch(loaded.step, rows));
  }
  if (scratch > kMaxArena) throw Error("the program needs too much memory for a block of rows; give fewer rows");
  layout.bytes += aligned(scratch);
  return layout;
}

}  // namespace sardonyx
