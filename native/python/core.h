// What a loaded program is to Python: its ports, what runs it, and how errors become exceptions.
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

// The project's exceptions, and the callable(program, feeds) -> dict given to set_coerce, or nullptr.
inline PyObject* program_error = nullptr;
inline PyObject* input_error = nullptr;
inline PyObject* coerce_hook = nullptr;

struct DTypeInfo {
  const char* name;
  int typenum;
};

// Indexed by DType. Text leaves as an object array of str. NumPy does not know bfloat16 by itself: see typenum_of.
inline constexpr DTypeInfo kDTypes[] = {
    {"", NPY_NOTYPE},       {"float32", NPY_FLOAT32}, {"float64", NPY_FLOAT64}, {"int8", NPY_INT8},
    {"int16", NPY_INT16},   {"int32", NPY_INT32},     {"int64", NPY_INT64},     {"uint8", NPY_UINT8},
    {"uint16", NPY_UINT16}, {"uint32", NPY_UINT32},   {"uint64", NPY_UINT64},   {"bool", NPY_BOOL},
    {"str", NPY_OBJECT},    {"float16", NPY_HALF},    {"bfloat16", NPY_NOTYPE},
};

inline const DTypeInfo& info(DType dtype) { return kDTypes[static_cast<int>(dtype)]; }

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

// To be called in a catch block; returns nullptr.
PyObject* raise_current(PyObject* type_of_error);

// The methods of Program that compute (call.cpp).
PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* keywords);
PyObject* program_run_columns(PyObject* self, PyObject* const* args, Py_ssize_t nargs);
PyObject* program_run_table(PyObject* self, PyObject* const* args, Py_ssize_t nargs);

}  // namespace sardonyx::python
