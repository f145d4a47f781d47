/// Runs a function of the table over samples.
#pragma once

#include "tests/codegen_math/jit_kernel.h"
#include "tests/codegen_math/samples.h"

#include <ostream>

namespace dlcc::codegen {

/// How GoogleTest names a row in its messages.
inline void PrintTo(const MathFunctionInfo& info, std::ostream* out) { *out << info.name; }

} // namespace dlcc::codegen

namespace dlcc::codegen::test {

template <class T> constexpr Element element_of = sizeof(T) == 4 ? Element::f32 : Element::f64;

/// A kernel of one function of the table.
template <class T> Kernel make_kernel(const MathFunctionInfo& info, unsigned lanes, Cpu cpu, bool fast_flags = false) {
  KernelSpec spec{element_of<T>, lanes, cpu, static_cast<unsigned>(info.arity), 1, fast_flags};
  return Kernel(spec, [&](llvm::IRBuilderBase& b, const std::vector<llvm::Value*>& a) {
    return std::vector{emit_math(b, info.function, a)};
  });
}

/// The results at all samples.
template <class T>
std::vector<T> evaluate(const MathFunctionInfo& info, const Samples<T>& s, unsigned lanes, Cpu cpu,
                        bool fast_flags = false) {
  std::vector<T> out(s.x.size());
  make_kernel<T>(info, lanes, cpu, fast_flags)({s.x.data(), s.y.data()}, {out.data()}, out.size());
  return out;
}

} // namespace dlcc::codegen::test
