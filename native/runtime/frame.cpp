#include "runtime/frame.h"

#include <algorithm>
#include <cstring>

#include "runtime/error.h"

namespace sardonyx {
namespace {

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

}  // namespace

Frame::Frame(const Schedule& schedule, const Schedule::Layout& layout) : schedule(schedule), layout_rows(layout.rows) {
  if (layout.bytes > 0)
    arena.reset(static_cast<std::byte*>(::operator new(layout.bytes, std::align_val_t{kArenaAlignment})));
  scratch = arena.get() + layout.scratch_at;
  sparse.reserve(schedule.sparse_.size());  // tensors point to the elements
  for (const DType dtype : schedule.sparse_) sparse.emplace_back(dtype, layout.rows);
  for (const std::int32_t index : schedule.steps_) add_tensors(schedule.program_.steps()[index], layout);
  const Tensor* at = tensors.data();
  for (const std::int32_t index : schedule.steps_) at = add_call(schedule.program_.steps()[index], at);
}

void Frame::stage_inputs(const Arrays& arrays, std::int64_t first, std::int64_t rows) {
  const auto& inputs = schedule.program_.inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto input = static_cast<std::int32_t>(i);
    const Slot& slot = schedule.program_.slots()[inputs[i]];
    if (slot.tensor.sparse || arrays.csr(input) == nullptr) continue;
    Staged& place = staged_of(input, slot.tensor.dtype);
    place.rows.load(*arrays.csr(input), first, rows, slot.tensor.width);
    place.dense.resize(std::max(place.dense.size(), rows * slot.row_bytes + kArenaAlignment));
    place.rows.expand(place.dense.data(), rows, slot.tensor.width);
    for (const Schedule::Patch& patch : schedule.patches_) {
      if (!patch.output && patch.index == input) tensors[patch.tensor].data = place.dense.data();
    }
  }
}

Frame::Staged& Frame::staged_of(std::int32_t input, DType dtype) {
  for (Staged& place : staged) {
    if (place.input == input) return place;
  }
  return staged.emplace_back(Staged{input, SparseBuffer(dtype, layout_rows), {}});
}

void Frame::read_sparse(const Schedule::SparseInput& input, const Arrays& arrays, std::int64_t first,
                        std::int64_t rows) {
  SparseBuffer& buffer = sparse[input.buffer];
  if (const Csr* csr = arrays.csr(input.input)) return buffer.load(*csr, first, rows, input.width, input.any);
  const auto* dense = static_cast<const std::byte*>(arrays.inputs[input.input]);
  buffer.compress(dense + first * input.row_bytes, rows, input.width);
}

void Frame::write_sparse(const Schedule::SparseOutput& output, const Arrays& arrays, std::int64_t first,
                         std::int64_t rows) {
  SparseBuffer& buffer = sparse[output.buffer];
  if (SparseResult* result = arrays.result(output.output)) return result->add(first, rows, buffer.rows());
  auto* dense = static_cast<std::byte*>(arrays.outputs[output.output]);
  buffer.expand(dense + first * output.row_bytes, rows, output.width);
}

void Frame::add_tensors(const LoadedStep& loaded, const Schedule::Layout& layout) {
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

const Tensor* Frame::add_call(const LoadedStep& loaded, const Tensor* at) {
  Step step = loaded.step;
  step.inputs = at;
  step.outputs = at + step.n_inputs;
  if (loaded.by_element) {
    calls.push_back({run_by_element, step, {nullptr, &loaded.entry->kernel}});
  } else {
    const Kernel& kernel = loaded.entry->kernel;
    calls.push_back({kernel.run, step, {scratch, loaded.state, &texts}, kernel.run_pieces});
  }
  return step.outputs + step.n_outputs;
}

void Frame::copy_rows(const Schedule::Copy& copy, const Arrays& arrays, std::int64_t first, std::int64_t rows) {
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

// ---- frames at rest ----------------------------------------------------------------------------------------------

FramePool::~FramePool() {
  for (auto& place : places_) delete place.frame.load();
}

}  // namespace sardonyx
