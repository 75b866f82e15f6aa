// What a loaded program is to Python: its ports, and what runs it.
#pragma once

#include "python/numpy_api.h"
// NumPy first: it includes Python.h, which must precede the standard headers.
#include <memory>
#include <vector>

#include "python/spare.h"
#include "python/text.h"
#include "runtime/executor.h"
#include "runtime/program.h"

namespace sardonyx::python {

// The callable(program, feeds) -> dict given to set_coerce, or nullptr.
inline PyObject* coerce_hook = nullptr;

// One input or output as Python sees it.
struct Port {
  PyObject* name;  // interned
  DType dtype;
  int typenum;
  int rank;  // without the rows
  npy_intp dims[kMaxRank];
  std::int64_t width;
  bool sparse;
  PyObject* keys = nullptr;  // of an output that leaves as maps: a tuple, and a dict with them (python/maps.h)
  PyObject* empty = nullptr;
};

struct Core {
  std::unique_ptr<Program> program;
  std::unique_ptr<Executor> executor;
  std::vector<Port> inputs, outputs;
  std::unique_ptr<TextCache> texts;
  Spare spare;
  int threads;
  bool gives_maps = false;

  ~Core() {
    for (const auto* ports : {&inputs, &outputs}) {
      for (const Port& port : *ports) {
        Py_XDECREF(port.name);
        Py_XDECREF(port.keys);
        Py_XDECREF(port.empty);
      }
    }
  }
};

struct ProgramObject {
  PyObject_HEAD Core* core;
};

inline Core& core_of(PyObject* self) { return *reinterpret_cast<ProgramObject*>(self)->core; }

bool add_program(PyObject* module);  // the type; false: a Python error is set

}  // namespace sardonyx::python
