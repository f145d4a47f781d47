/* abi.h: the C contract between a compiled training step and whoever calls it; needs nothing but dlopen and this file.
 *
 * A compiled step (train_step.so, or the same object made in the process) exports one function, dlcc_module_query. It
 * returns immutable tables: what tensors there are, how many bytes each memory region needs, and the entries. All
 * mutable state lives in regions that the caller owns, so one module serves any number of threads and sessions.
 *
 * Rules for every struct: it carries its size; fields are only appended; enumerators are never renumbered. */
#ifndef DLCC_ABI_H
#define DLCC_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DLCC_MODULE_ABI 1u
#define DLCC_MODULE_MAGIC 0x43434C44u /* "DLCC" in little-endian bytes */

/* Element types. bf16 and f16 are 2 bytes, bool is 1 byte with the value 0 or 1. */
enum {
  DLCC_F32 = 1,
  DLCC_F64 = 2,
  DLCC_BF16 = 3,
  DLCC_F16 = 4,
  DLCC_I8 = 5,
  DLCC_U8 = 6,
  DLCC_I32 = 7,
  DLCC_I64 = 8,
  DLCC_BOOL = 9
};

/* Memory regions: the index into dlcc_call_v1.regions and dlcc_module_v1.region_bytes. Each pointer is aligned to
 * dlcc_module_v1.alignment, at least to 64 bytes, and zero-filled when the session is made.
 *   PARAM   parameters, canonical (row-major, dense) layout
 *   OPT     optimizer slots, canonical layout
 *   BUFFER  running statistics and metric accumulators, canonical layout
 *   GRAD    gradients for the grad/apply entries and for accumulation; zero before the first grad call
 *   WORK    scratch: region_bytes[WORK] bytes of arena, then, from the next multiple of 64 on, num_threads blocks of
 *           work_bytes_per_thread bytes (a multiple of 64); nothing in it survives a call
 *   CONST   dlcc_module_v1.const_data itself, read only, not copied
 *   CACHE   derived data such as packed panels of weights. Its first uint32_t is the "stale" word: the caller sets it
 * to 1 after init, load and tensor_write; the module repacks when it reads 1 and writes 0. Never saved. Regions of 0
 * bytes have a null pointer. */
enum {
  DLCC_REG_PARAM = 0,
  DLCC_REG_OPT,
  DLCC_REG_BUFFER,
  DLCC_REG_GRAD,
  DLCC_REG_WORK,
  DLCC_REG_CONST,
  DLCC_REG_CACHE
};

/* What a tensor is. INPUT, LABEL and WEIGHT (per-sample weights) are given by the caller in dlcc_call_v1.inputs;
 * OUTPUT, LOSS and METRIC are written to dlcc_call_v1.outputs; PARAM, OPT, BUFFER and GRAD live in the region of that
 * name; an ACCUMULATOR is what METRICS_RESET zeroes and lives in BUFFER. */
enum {
  DLCC_T_INPUT = 1,
  DLCC_T_LABEL,
  DLCC_T_WEIGHT,
  DLCC_T_OUTPUT,
  DLCC_T_PARAM,
  DLCC_T_OPT,
  DLCC_T_BUFFER,
  DLCC_T_GRAD,
  DLCC_T_LOSS,
  DLCC_T_METRIC,
  DLCC_T_ACCUMULATOR
};

/* Entries. Each kind occurs at most once in a module. In every entry: rows >= n_valid of each input are those of a
 * valid sample again, or zero if there is none; they count for nothing.
 *   INIT            no inputs, no outputs; fills PARAM, OPT and BUFFER from call->seed
 *   TRAIN           inputs, labels, weights -> loss, metrics, then other outputs; updates the state. With a
 *                   hyper-parameter `accumulate_steps` = k > 1 it adds gradients in GRAD and applies them (and zeroes
 *                   GRAD) when (call->batch + 1) % k == 0
 *   GRAD            as TRAIN, but adds the gradients to GRAD and changes no parameter and no slot
 *   APPLY           no inputs, no outputs; n_valid = number of GRAD calls since the last APPLY; divides GRAD by it and
 *                   updates the parameters. The caller zeroes GRAD afterwards
 *   EVAL            inputs, labels, weights -> loss, metrics, then other outputs; changes metric accumulators only
 *   PREDICT         inputs -> outputs; changes nothing
 *   METRICS_RESET   zeroes the metric accumulators in BUFFER
 *   METRICS_RESULT  writes f64 scalars computed from the accumulators to its outputs
 *   LEARNING_RATE   writes one f64 scalar: the rate that the update after call->update others uses; changes nothing
 * Loss and metric outputs are f64 scalars (rank 0) unless their descriptor says otherwise. */
enum {
  DLCC_FN_INIT = 1,
  DLCC_FN_TRAIN,
  DLCC_FN_GRAD,
  DLCC_FN_APPLY,
  DLCC_FN_EVAL,
  DLCC_FN_PREDICT,
  DLCC_FN_METRICS_RESET,
  DLCC_FN_METRICS_RESULT,
  DLCC_FN_LEARNING_RATE
};

/* Results of entries and of the loader library. */
typedef int32_t dlcc_status;
enum {
  DLCC_OK = 0,
  DLCC_SKIPPED = 1,         /* of an entry only: nothing in the batch counts; the state is as before, no output written */
  DLCC_E_ARG = -1,          /* an argument is wrong; an index in the data is out of range */
  DLCC_E_NOTFOUND = -2,     /* no such tensor, hyper-parameter or key */
  DLCC_E_SHAPE = -3,        /* rank, dimensions or byte size differ from the compiled ones */
  DLCC_E_DTYPE = -4,        /* element type differs from the compiled one */
  DLCC_E_ABI = -5,          /* struct size, module ABI or file format of another version */
  DLCC_E_CPU = -6,          /* the module needs a CPU feature or a library that this machine lacks */
  DLCC_E_IO = -7,           /* the operating system refused; the message has its text */
  DLCC_E_CORRUPT = -8,      /* checksum or structure of a file or module is wrong; it cannot be loaded */
  DLCC_E_MISMATCH = -9,     /* a checkpoint of another model */
  DLCC_E_NOMEM = -10,       /* not enough memory, or no more file descriptors */
  DLCC_E_BUSY = -11,        /* the session is in use by another call */
  DLCC_E_NONFINITE = -12,   /* NaN or infinity; parameters are unchanged */
  DLCC_E_COMM = -13,        /* the host's allreduce failed */
  DLCC_E_UNSUPPORTED = -14, /* the module has no such entry */
  DLCC_E_INTERNAL = -15,    /* a fault of dlcc, or an exception in a callback */
  DLCC_E_STATE = -16,       /* before init or load; nothing to apply; a hyper-parameter that has no value yet */
  DLCC_E_TRUST = -17        /* a compiled step that somebody else may have put there or changed */
};

/* Describes a tensor, never owns it. */
typedef struct dlcc_tensor_desc {
  uint32_t struct_size;
  int32_t kind, dtype, rank; /* DLCC_T_, DLCC_F32..., 0 to 8 */
  const char* name;          /* unique, at most 1024 bytes; state: "param/<layer>/<name>", "opt/<layer>/<name>/m",
                                "buffer/...", "grad/<layer>/<name>": the names in checkpoints */
  const int64_t* dims;       /* rank extents; the batch dimension holds the compiled N (or a multiple of it) */
  int32_t region;            /* DLCC_REG_ for state, -1 for what the caller passes */
  int32_t batch_axis;        /* -1: none */
  uint64_t offset, nbytes;   /* inside its region (0 where region is -1); nbytes = product of dims x element size */
} dlcc_tensor_desc;

/* Services from the host. The loader library passes a struct of its own whose functions never throw. */
typedef struct dlcc_host_v1 {
  uint32_t struct_size, reserved;
  void* user;
  void (*log)(void* user, int level, const char* msg); /* level: 0 error, 1 warning, 2 information; may be null */
  int (*allreduce)(void* user, void* buf, uint64_t count, int dtype); /* 0 = done; null: a single process */
} dlcc_host_v1;

/* What went wrong in an entry; zeroed by the caller before the call. */
enum { DLCC_FAULT_NONE = 0, DLCC_FAULT_INDEX = 1, DLCC_FAULT_NONFINITE = 2 };
typedef struct dlcc_fault {
  int32_t code;   /* DLCC_FAULT_ */
  int32_t node;   /* index into tensors[] of the input (INDEX) or result (NONFINITE) it concerns, -1: unknown */
  int64_t sample; /* row of the batch, from 0; -1: unknown */
  double value;   /* the bad value */
  double limit;   /* INDEX: valid values are 0 <= value < limit; 0: unknown */
} dlcc_fault;

/* One call: all state comes in. */
typedef struct dlcc_call_v1 {
  uint32_t struct_size;
  int32_t num_threads;       /* >= 1 */
  void* const* regions;      /* n_regions pointers */
  const void* const* inputs; /* in the order of the entry's `inputs`; no alignment promised */
  void* const* outputs;      /* in the order of the entry's `outputs`; never null; do not overlap any input */
  int64_t n_valid;           /* rows in use, 0 <= n_valid <= N */
  uint64_t seed;             /* key of all random numbers */
  uint64_t batch;            /* batches trained on before this call: the counter of random numbers */
  uint64_t update;           /* optimizer updates before this call: the counter of schedules and bias corrections */
  const double* hyper;       /* n_hyper values; NaN: the compiled value or schedule */
  dlcc_fault* fault;         /* filled when the entry returns an error */
  const dlcc_host_v1* host;
} dlcc_call_v1;

/* One function of a module. It returns 0, DLCC_SKIPPED, or a DLCC_E_ code: DLCC_E_ARG with an INDEX fault,
 * DLCC_E_NONFINITE with a NONFINITE fault, DLCC_E_COMM. On an error the state is untouched; outputs are unspecified. */
typedef struct dlcc_entry_v1 {
  uint32_t struct_size;
  int32_t kind; /* DLCC_FN_ */
  const char* name;
  int32_t (*fn)(const dlcc_call_v1*);
  const int32_t* inputs; /* indices into tensors[] */
  int32_t n_inputs;
  int32_t n_outputs;
  const int32_t* outputs;
} dlcc_entry_v1;

typedef struct dlcc_module_v1 {
  uint32_t magic, abi, struct_size, flags; /* flags: 0 */
  const char *name, *compiler, *triple;
  const char* cpu_features; /* LLVM's names: "+avx2,+fma"; "" needs nothing */
  const char* model_json;   /* the resolved model, not terminated */
  uint64_t model_json_len;
  uint8_t model_hash[32];
  const dlcc_tensor_desc* tensors;
  const dlcc_entry_v1* entries;
  uint32_t n_tensors, n_entries, n_regions, alignment, n_hyper; /* alignment: a power of two, 1 to 65536 */
  const uint64_t* region_bytes;                                 /* n_regions sizes */
  uint64_t work_bytes_per_thread;                               /* a multiple of 64 */
  const void* const_data;
  const char* const* hyper_names; /* "learning_rate", ...; "accumulate_steps" only if > 1, and then fixed;
                                     "steps_per_epoch" where a schedule counts epochs: NaN until the caller sets it */
  const double* hyper_defaults;
} dlcc_module_v1;

/* The only exported symbol of a compiled step (compiled for the baseline ISA). Null if it needs more than max_abi. */
const dlcc_module_v1* dlcc_module_query(uint32_t max_abi);

/* A compiled step on disk is an ELF image followed by this trailer (little-endian, 96 bytes). The loader verifies it
 * before it maps any code. */
#define DLCC_TRAILER_MAGIC "DLCCTRL1"
#define DLCC_TRAILER_BYTES 96u
typedef struct dlcc_artefact_trailer {
  char magic[8];
  uint32_t abi; /* DLCC_MODULE_ABI of the module */
  uint32_t reserved;
  uint64_t payload_bytes; /* length of the ELF image = file size - 96 */
  uint8_t sha256[32];     /* of the ELF image followed by this trailer with these 32 bytes zero */
  char compiler[16];      /* version of the compiler, zero padded, terminated */
  uint8_t zero[24];
} dlcc_artefact_trailer;

#ifdef __cplusplus
}
#endif
#endif
