#include "runtime/program.h"

namespace sardonyx {

Step by_element_step(const Step& step, Tensor* tensors) {
  Step flat = step;
  flat.inputs = tensors;
  flat.outputs = tensors + step.n_inputs;
  for (int i = 0; i < step.n_inputs + step.n_outputs; ++i) {
    Tensor& tensor = tensors[i] = i < step.n_inputs ? step.inputs[i] : step.outputs[i - step.n_inputs];
    if (!tensor.sparse) continue;
    tensor.sparse = false;
    tensor.width = tensor.dims[0] = 1;
    tensor.rank = 1;
    tensor.data = nullptr;
  }
  return flat;
}

Program::~Program() {
  for (LoadedStep& loaded : steps_) {
    if (loaded.state != nullptr && loaded.entry->kernel.release != nullptr) loaded.entry->kernel.release(loaded.state);
  }
}

}  // namespace sardonyx
