// Program.run: its arguments, which outputs are wanted, and what becomes of feeds that do not fit.
//
//   run(names or None, feeds)
//     every feed an ndarray of the slot's dtype and shape, C-contiguous   ->  straight to the core
//     or a scipy.sparse CSR matrix of that dtype, whatever form the program takes the input in (python/sparse.h)
//     columns of other dtypes, lists, objects, Arrow arrays (reader.h)    ->  converted, where every value stays
//     anything else (frames, missing names, values that would change ...) ->  the hook given to set_coerce, then again
//   _run_columns(names, feeds)      the same, but returns None in place of calling the hook
//   _run_table(names, table)        the same for a table with the Arrow PyCapsule interface, whose columns are found by
//                                   name: no object of Python's is made for them
#include "python/run.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/call.h"
#include "python/column.h"
#include "python/errors.h"
#include "python/program.h"
#include "python/ref.h"
#include "python/unending.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

std::optional<std::int32_t> output_named(const Core& core, PyObject* name) {
  for (std::size_t i = 0; i < core.outputs.size(); ++i) {
    if (core.outputs[i].name == name) return static_cast<std::int32_t>(i);
  }
  for (std::size_t i = 0; PyUnicode_Check(name) && i < core.outputs.size(); ++i) {
    if (PyUnicode_Compare(core.outputs[i].name, name) == 0) return static_cast<std::int32_t>(i);
  }
  return std::nullopt;
}

std::string known_outputs(const Core& core) {
  std::string names;
  for (const Port& port : core.outputs) {
    names += names.empty() ? "'" : ", '";
    names += PyUnicode_AsUTF8(port.name);
    names += "'";
  }
  return names;
}

const Schedule* choose(const Core& core, PyObject* names) {
  if (names == Py_None) return &core.executor->all_outputs();
  if (PyUnicode_Check(names)) {
    PyErr_Format(input_error, "output names must be None or a list of str, not the str %R; give [%R]", names, names);
    return nullptr;
  }
  const Ref sequence(PySequence_Fast(names, "output names must be None or a list of str"));
  if (!sequence) return nullptr;
  if (PySequence_Fast_GET_SIZE(sequence.get()) == 0) return &core.executor->all_outputs();  // as in ONNX Runtime
  std::vector<std::int32_t> chosen;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); ++i) {
    PyObject* name = PySequence_Fast_GET_ITEM(sequence.get(), i);
    const auto output = output_named(core, name);
    if (!output) {
      PyErr_Format(input_error, "no output is named %R; the outputs are %s", name, known_outputs(core).c_str());
      return nullptr;
    }
    chosen.push_back(*output);
  }
  try {
    return &core.executor->for_outputs(chosen);
  } catch (...) {
    raise_current(input_error);
    return nullptr;
  }
}

PyObject* run_coerced(PyObject* self, Call& call, PyObject* feeds) {
  if (PyErr_Occurred()) return nullptr;
  if (coerce_hook == nullptr) {
    PyErr_SetString(PyExc_TypeError,
                    "feeds must be a dict that holds, for every input, a C-contiguous array of its dtype and shape");
    return nullptr;
  }
  PyObject* const arguments[] = {self, feeds};
  const Ref coerced(unending(PyObject_Vectorcall, coerce_hook, arguments, std::size_t{2}, nullptr));
  if (!coerced) return nullptr;
  if (call.bind(coerced.get())) {
    PyObject* result = call.run();
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the coerce hook did not return proper arrays");
  return nullptr;
}

// The arguments of run, called as ONNX Runtime's is: (output_names, input_feed, run_options=None), by position or name;
// and `sparse`, by name.
class RunArguments {
 public:
  static constexpr int kCount = 3;
  bool sparse() const { return sparse_; }
  PyObject* names() const { return values_[0]; }
  PyObject* feeds() const { return values_[1]; }

  bool read(PyObject* const* args, Py_ssize_t nargs, PyObject* keywords) {
    if (nargs > kCount) return refuse("run takes output_names (or None) and input_feed; %zd arguments given", nargs);
    for (Py_ssize_t i = 0; i < nargs; ++i) values_[i] = args[i];
    for (Py_ssize_t i = 0; keywords != nullptr && i < PyTuple_GET_SIZE(keywords); ++i) {
      if (!set(PyTuple_GET_ITEM(keywords, i), args[nargs + i])) return false;
    }
    if (values_[0] == nullptr || values_[1] == nullptr) {
      return refuse("run takes output_names (or None) and input_feed, as in run(None, {...})");
    }
    if (values_[2] != nullptr && values_[2] != Py_None) {
      return refuse("run_options are ONNX Runtime's and mean nothing here; leave them out");
    }
    return true;
  }

 private:
  bool set(PyObject* keyword, PyObject* value) {
    static constexpr const char* kNames[kCount] = {"output_names", "input_feed", "run_options"};
    if (PyUnicode_CompareWithASCIIString(keyword, "sparse") == 0) {
      if (!PyBool_Check(value)) return refuse("sparse=%R; give True or False", value);
      sparse_ = value == Py_True;
      return true;
    }
    for (int i = 0; i < kCount; ++i) {
      if (PyUnicode_CompareWithASCIIString(keyword, kNames[i]) != 0) continue;
      if (values_[i] != nullptr) return refuse("run got %R twice", keyword);
      values_[i] = value;
      return true;
    }
    return refuse("run has no argument %R; it takes output_names, input_feed and sparse", keyword);
  }

  template <class... Details>
  static bool refuse(const char* format, Details... details) {
    PyErr_Format(PyExc_TypeError, format, details...);
    return false;
  }

  PyObject* values_[kCount] = {};
  bool sparse_ = false;
};

PyObject* run_with(PyObject* self, PyObject* names, PyObject* feeds, bool sparse) {
  Core& core = core_of(self);
  const Schedule* schedule = choose(core, names);
  if (schedule == nullptr) return nullptr;
  Call call(core, *schedule, sparse);
  if (call.bind(feeds)) {
    PyObject* result = call.run();
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  return run_coerced(self, call, feeds);
}

// Nothing: a Python error is set. Else one byte for each input, or nullptr.
std::optional<const char*> read_nulls(const Core& core, PyObject* nulls) {
  if (nulls == Py_None) return nullptr;
  if (PyBytes_Check(nulls) && PyBytes_GET_SIZE(nulls) == static_cast<Py_ssize_t>(core.inputs.size())) {
    return PyBytes_AS_STRING(nulls);
  }
  PyErr_SetString(PyExc_TypeError, "nulls are None, or bytes: one for each input");
  return std::nullopt;
}

// nullptr: the library has no table to give in this way; or a Python error is set, if that is no Exception.
std::shared_ptr<ArrowTable> table_if_any(PyObject* object) {
  try {
    auto table = read_table(object);
    if (table == nullptr && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear();
    return table;
  } catch (const Error&) {
    return nullptr;
  }
}

bool are_names(const Core& core, PyObject* features) {
  bool are = features == Py_None || (PyTuple_Check(features) && core.inputs.size() == 1);
  for (Py_ssize_t i = 0; are && features != Py_None && i < PyTuple_GET_SIZE(features); ++i) {
    are = PyUnicode_Check(PyTuple_GET_ITEM(features, i));
  }
  if (!are) PyErr_SetString(PyExc_TypeError, "features are None, or a tuple of str for the only input");
  return are;
}

}  // namespace

PyObject* program_run_columns(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 3) {
    PyErr_SetString(PyExc_TypeError, "_run_columns takes the names of outputs (or None), a dict of columns, and nulls");
    return nullptr;
  }
  try {
    Core& core = core_of(self);
    const Schedule* schedule = choose(core, args[0]);
    const std::optional<const char*> nulls = read_nulls(core, args[2]);
    if (schedule == nullptr || !nulls) return nullptr;
    Call call(core, *schedule, false);
    PyObject* result = call.bind(args[1], *nulls) ? call.run() : nullptr;
    if (result != nullptr) return result;
  } catch (...) {
    return raise_current(input_error);
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

PyObject* program_run_table(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 4) {
    PyErr_SetString(PyExc_TypeError, "_run_table takes the names of outputs (or None), a table, features and nulls");
    return nullptr;
  }
  try {
    Core& core = core_of(self);
    const Schedule* schedule = choose(core, args[0]);
    const std::optional<const char*> nulls = read_nulls(core, args[3]);
    if (schedule == nullptr || !nulls || !are_names(core, args[2])) return nullptr;
    if (auto table = table_if_any(args[1])) {
      Call call(core, *schedule, false);
      PyObject* result = call.bind_table(std::move(table), args[2], *nulls) ? call.run() : nullptr;
      if (result != nullptr) return result;
    }
  } catch (...) {
    return raise_current(input_error);
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* keywords) {
  try {
    if (nargs == 2 && keywords == nullptr) return run_with(self, args[0], args[1], false);
    RunArguments arguments;
    if (!arguments.read(args, nargs, keywords)) return nullptr;
    return run_with(self, arguments.names(), arguments.feeds(), arguments.sparse());
  } catch (...) {
    return raise_current(input_error);
  }
}

}  // namespace sardonyx::python
