/*
 * alight-query: one ZMTP 3.0 exchange with the daemon, for bash and fish.
 *
 *     alight-query SOCKET VERB FIELD...
 *     alight-query spawn RUNTIME PYTHON
 *
 * The compiled twin of daemon/alight/query.py: the same arguments, output and exit codes (../PROTOCOL.md, 6). C99 and
 * POSIX, no library, no memory allocated. It does one thing once, so whatever goes wrong ends the process where it is
 * noticed. Everything from connect to the last octet happens before one deadline.
 *
 * Building the package compiles it (hatch_build.py). For a checkout that is installed editable, where it lies beside
 * query.py and counts as long as it is newer than this file:
 *
 *     cc -std=c99 -O2 -o daemon/alight/alight-query shell/query/alight-query.c
 *
 * With ALIGHT_BARE (Linux on x86-64 and 64-bit Arm; options in hatch_build.py) it brings along the little that it
 * needs of a C library: to load one, or only to begin one that is linked in, takes longer than all the rest.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifdef ALIGHT_BARE
static char **environ;
#else
extern char **environ;
#endif

enum { SERVED, FAILED, USAGE, ABSENT, EXPIRED, INCOMPATIBLE }; /* exit codes */
enum { MORE = 1, LONG = 2, COMMAND = 4 };                      /* flags of a frame */
enum { MAX_FRAMES = 96, MAX_FRAME = 16 * 1024, MAX_MESSAGE = 64 * 1024 };
enum { LANDING_LIMIT = 60, VALUE_LIMIT = 8 * 1024, PATH_LIMIT = 16000 };
enum { SEPARATOR = 0x1f };

#define PROTOCOL "1"
#define DEADLINE_SECONDS 0.05
#define BLANKS " \t\n\v\f\r"

#define ZEROS "\0\0\0\0\0\0\0\0"
#define MECHANISM "NULL" ZEROS ZEROS
#define GREETING "\xff" ZEROS "\x7f\x03\0" MECHANISM ZEROS ZEROS ZEROS ZEROS
#define READY "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06" "DEALER"
enum { SIGNATURE_SIZE = 10, GREETING_SIZE = sizeof GREETING - 1, MECHANISM_SIZE = sizeof MECHANISM - 1 };

static const struct verb {
    const char *name;
    int fields, directory; /* how many there are on the command line, and which of them is the directory */
} VERBS[] = {{"ask", 9, 2}, {"note", 5, 2}, {"guard", 3, 2}, {"always", 4, 2}, {"ping", 1, 0}, {NULL, 0, 0}};

/* Sent with `ask` and `note`, in this order (PROTOCOL 4). */
static const char VARIABLES[] =
    "PATH VIRTUAL_ENV VIRTUAL_ENV_PROMPT VIRTUAL_ENV_DISABLE_PROMPT CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL "
    "CONDA_PREFIX_1 CONDA_PREFIX_2 CONDA_CHANGEPS1 PYTHONHOME PKG_CONFIG_PATH PYENV_VIRTUAL_ENV PYENV_ACTIVATE_SHELL "
    "POETRY_ACTIVE PIPENV_ACTIVE HATCH_ENV_ACTIVE PIXI_IN_SHELL DIRENV_DIR DIRENV_DIFF __MISE_DIFF TERM_PROGRAM "
    "CONDA_EXE _CONDA_ROOT MAMBA_EXE MAMBA_ROOT_PREFIX CONDA_ENVS_DIRS CONDA_ENVS_PATH CONDARC WORKON_HOME "
    "VIRTUALFISH_HOME PIPENV_PIPFILE PIPENV_VENV_IN_PROJECT PIPENV_CUSTOM_VENV_NAME PIPENV_PYTHON PIPENV_MAX_DEPTH "
    "POETRY_VIRTUALENVS_PATH POETRY_VIRTUALENVS_IN_PROJECT POETRY_CACHE_DIR POETRY_CONFIG_DIR PDM_PYTHON "
    "PDM_IGNORE_SAVED_PYTHON PDM_USE_VENV PDM_VENV_IN_PROJECT PDM_CONFIG_FILE HATCH_DATA_DIR HATCH_CONFIG HATCH_ENV "
    "HATCH_ENV_TYPE_VIRTUAL_PATH UV_PROJECT_ENVIRONMENT UV_PYTHON_INSTALL_DIR UV_CACHE_DIR PYENV_ROOT PYENV_VERSION "
    "PIXI_HOME MISE_DATA_DIR ASDF_DATA_DIR ASDF_PYTHON_VERSION XDG_DATA_HOME XDG_CACHE_HOME XDG_CONFIG_HOME HOME";

/* Sent with `guard` (PROTOCOL 7): these, those that begin so, and those that the line names; no secrets. */
static const char LANDING_NAMES[] =
    "CONDARC WORKON_HOME VIRTUALFISH_HOME DIST_EXTRA_CONFIG __PYVENV_LAUNCHER__ __MISE_DIFF _OLD_VIRTUAL_PATH HOME "
    "PATH PWD OLDPWD CDPATH USER LOGNAME CI SUDO_USER TERM_PROGRAM BASH_ENV ENV ZDOTDIR LD_LIBRARY_PATH ALIGHT_GUARD";
static const char LANDING_PREFIXES[] =
    "PIP_ UV_ CONDA_ _CONDA_ MAMBA_ POETRY_ PIPENV_ PDM_ HATCH_ PYENV_ PIXI_ PIPX_ FLIT_ ASDF_ MISE_ DIRENV_ "
    "VIRTUALENV_ XDG_ DEB_ RPM_ HOMEBREW_ CUDA_ PYTHON VIRTUAL_ENV";
static const char SECRETS[] = "PASSWORD TOKEN HTTP_BASIC SECRET CREDENTIAL _INDEX PROXY _CERT";

/* ---- without a C library ----------------------------------------------------------------------------------------- */

#ifdef ALIGHT_BARE

#include <stdarg.h>
#include <sys/syscall.h>

/* The kernel's own form of what `signal` says. */
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#undef errno
#define errno fault
static int fault;

/* Not one of these is turned into a call of itself by a compiler that recognises it. */
#define AS_IT_IS __asm__ volatile("" : : : "memory")

#if defined __x86_64__
__asm__(".pushsection .text\n.globl _start\n_start:\n"
        "\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n\thlt\n"
        ".popsection\n");

static long ask(long number, long one, long two, long three, long four, long five) {
    register long r10 __asm__("r10") = four, r8 __asm__("r8") = five;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined __aarch64__
__asm__(".pushsection .text\n.balign 4\n.globl _start\n_start:\n"
        "\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tbl begin\n"
        ".popsection\n");

static long ask(long number, long one, long two, long three, long four, long five) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = one, x1 __asm__("x1") = two;
    register long x2 __asm__("x2") = three, x3 __asm__("x3") = four, x4 __asm__("x4") = five;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "ALIGHT_BARE is for x86-64 and 64-bit Arm"
#endif

static long call(long number, long one, long two, long three, long four, long five) {
    long result = ask(number, one, two, three, four, five);
    if (result >= 0)
        return result;
    fault = (int)-result;
    return -1;
}

void _exit(int code) {
    for (;;)
        ask(SYS_exit_group, code, 0, 0, 0, 0);
}

int main(int count, char **words);

void begin(long *stack);
void begin(long *stack) {
    char **words = (char **)(stack + 1);
    environ = words + *stack + 1;
    _exit(main((int)*stack, words));
}

int open(const char *path, int flags, ...) {
    return (int)call(SYS_openat, AT_FDCWD, (long)path, flags, 0, 0);
}

int close(int descriptor) {
    return (int)call(SYS_close, descriptor, 0, 0, 0, 0);
}

ssize_t read(int descriptor, void *target, size_t size) {
    return call(SYS_read, descriptor, (long)target, (long)size, 0, 0);
}

ssize_t write(int descriptor, const void *data, size_t size) {
    return call(SYS_write, descriptor, (long)data, (long)size, 0, 0);
}

int fcntl(int descriptor, int command, ...) {
    va_list rest;
    long value;
    va_start(rest, command);
    value = va_arg(rest, int);
    va_end(rest);
    return (int)call(SYS_fcntl, descriptor, command, value, 0, 0);
}

int socket(int family, int type, int protocol) {
    return (int)call(SYS_socket, family, type, protocol, 0, 0);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t size) {
    return (int)call(SYS_connect, descriptor, (long)address, (long)size, 0, 0);
}

int poll(struct pollfd *waited, nfds_t count, int timeout) {
    struct timespec most = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
    return (int)call(SYS_ppoll, (long)waited, (long)count, (long)&most, 0, 0);
}

int lstat(const char *path, struct stat *facts) {
    return (int)call(SYS_newfstatat, AT_FDCWD, (long)path, (long)facts, AT_SYMLINK_NOFOLLOW, 0);
}

int access(const char *path, int mode) {
    return (int)call(SYS_faccessat, AT_FDCWD, (long)path, mode, 0, 0);
}

int execv(const char *path, char *const words[]) {
    return (int)call(SYS_execve, (long)path, (long)words, (long)environ, 0, 0);
}

uid_t geteuid(void) {
    return (uid_t)ask(SYS_geteuid, 0, 0, 0, 0, 0);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    return (int)call(SYS_clock_gettime, clock, (long)time, 0, 0, 0);
}

void (*signal(int number, void (*handler)(int)))(int) {
    struct action action = {.handler = handler};
    call(SYS_rt_sigaction, number, (long)&action, 0, sizeof action.mask, 0);
    return SIG_DFL;
}

void *memcpy(void *restrict target, const void *restrict data, size_t size) {
    for (size_t index = 0; index < size; index++) {
        ((char *)target)[index] = ((const char *)data)[index];
        AS_IT_IS;
    }
    return target;
}

void *memset(void *target, int octet, size_t size) {
    for (size_t index = 0; index < size; index++) {
        ((char *)target)[index] = (char)octet;
        AS_IT_IS;
    }
    return target;
}

int memcmp(const void *one, const void *other, size_t size) {
    for (size_t index = 0; index < size; index++) {
        int order = ((const unsigned char *)one)[index] - ((const unsigned char *)other)[index];
        if (order != 0)
            return order;
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t size = 0;
    for (; text[size] != '\0'; size++)
        AS_IT_IS;
    return size;
}

int strncmp(const char *one, const char *other, size_t size) {
    for (size_t index = 0; index < size; index++)
        if (one[index] != other[index] || one[index] == '\0')
            return (unsigned char)one[index] - (unsigned char)other[index];
    return 0;
}

int strcmp(const char *one, const char *other) {
    return strncmp(one, other, SIZE_MAX);
}

char *strchr(const char *text, int octet) {
    for (; *text != (char)octet; text++)
        if (*text == '\0')
            return NULL;
    return (char *)(uintptr_t)text;
}

char *strrchr(const char *text, int octet) {
    const char *found = NULL;
    for (; (text = strchr(text, octet)) != NULL; text++)
        found = text;
    return (char *)(uintptr_t)found;
}

size_t strspn(const char *text, const char *some) {
    size_t size = 0;
    while (text[size] != '\0' && strchr(some, text[size]) != NULL)
        size++;
    return size;
}

size_t strcspn(const char *text, const char *some) {
    size_t size = 0;
    while (text[size] != '\0' && strchr(some, text[size]) == NULL)
        size++;
    return size;
}

char *getenv(const char *name) {
    size_t size = strlen(name);
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, name, size) == 0 && (*entry)[size] == '=')
            return *entry + size + 1;
    return NULL;
}

#endif

/* ---- lists of words ---------------------------------------------------------------------------------------------- */

static size_t smaller(size_t one, size_t other) {
    return one < other ? one : other;
}

/* Steps from one word of such a list to the next; `size` is that of the word before. Returns the size, 0 at the end. */
static size_t next_word(const char **word, size_t size) {
    *word += size;
    *word += strspn(*word, " ");
    return strcspn(*word, " ");
}

/* ---- the deadline ------------------------------------------------------------------------------------------------ */

static int64_t deadline; /* nanoseconds of the monotonic clock */

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Reads digits into `number` as long as it has room for more; returns how many there were. */
static int take_digits(const char **word, int64_t *number, int *dropped) {
    const char *first = *word;
    for (; **word >= '0' && **word <= '9'; ++*word) {
        if (*number < (int64_t)100000000000000000)
            *number = *number * 10 + (**word - '0');
        else
            ++*dropped;
    }
    return (int)(*word - first);
}

/* The decimal number that all of `word` is, blanks around it left out; 0 for what is none, or is below 0. */
static double number_of(const char *word) {
    int64_t digits = 0, exponent = 0;
    int dropped = 0, whole, fraction = 0, scale;
    bool is_small = false;
    double value;
    word += strspn(word, BLANKS);
    word += *word == '+';
    whole = take_digits(&word, &digits, &dropped);
    scale = dropped;
    if (*word == '.') {
        word++;
        dropped = 0;
        fraction = take_digits(&word, &digits, &dropped);
        scale -= fraction - dropped;
    }
    if (whole + fraction == 0)
        return 0;
    if (*word == 'e' || *word == 'E') {
        word++;
        is_small = *word == '-';
        word += *word == '-' || *word == '+';
        dropped = 0;
        if (take_digits(&word, &exponent, &dropped) == 0 || exponent > 400)
            return 0;
    }
    if (word[strspn(word, BLANKS)] != '\0')
        return 0;
    scale += is_small ? -(int)exponent : (int)exponent;
    value = (double)digits;
    double power = 1;
    for (int step = scale < 0 ? -scale : scale; step > 0 && power < 1e300; step--)
        power *= 10;
    return scale < 0 ? value / power : value * power;
}

/* $ALIGHT_DEADLINE when that is a number from 0.01 to 5. */
static void start_clock(void) {
    const char *word = getenv("ALIGHT_DEADLINE");
    double seconds = word != NULL ? number_of(word) : 0;
    if (!(seconds >= 0.01 && seconds <= 5))
        seconds = DEADLINE_SECONDS;
    deadline = now() + (int64_t)(seconds * 1e9);
}

/* Wait, at most to the deadline or for so many milliseconds, until something may be done. The caller tries again. */
static void await(int descriptor, short events, int most) {
    struct pollfd waited = {.fd = descriptor, .events = events};
    int64_t left = deadline - now();
    if (left <= 0)
        _exit(EXPIRED);
    left = (left + 999999) / 1000000;
    poll(&waited, 1, left < most ? (int)left : most);
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

static int peer;

static struct {
    char octets[MAX_FRAME];
    size_t first, end;
} input;

/* Connect to a socket in a directory of ours. A full backlog (EAGAIN) is a daemon that does not accept: tried again. */
static void connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat facts;
    const char *slash = strrchr(path, '/');
    if (*path == '\0' || strlen(path) >= sizeof address.sun_path)
        _exit(ABSENT);
    memcpy(address.sun_path, path, slash != NULL ? (size_t)(slash - path) : 0);
    if (lstat(*address.sun_path != '\0' ? address.sun_path : ".", &facts) != 0 || !S_ISDIR(facts.st_mode) ||
        facts.st_uid != geteuid())
        _exit(ABSENT);
    memcpy(address.sun_path, path, strlen(path));
    peer = socket(AF_UNIX, SOCK_STREAM, 0);
    if (peer < 0 || fcntl(peer, F_SETFL, O_NONBLOCK) != 0)
        _exit(ABSENT);
    while (connect(peer, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EISCONN) {
        if (errno != EAGAIN && errno != EINTR && errno != EINPROGRESS && errno != EALREADY)
            _exit(ABSENT);
        await(-1, 0, 2);
    }
}

/* Send everything; false when the peer has hung up. */
static bool send_all(const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = write(peer, data, size);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            await(peer, POLLOUT, 5000);
        } else if (errno == EPIPE) {
            return false;
        } else {
            _exit(ABSENT);
        }
    }
    return true;
}

/* Receive exactly so many octets. */
static void take(char *target, size_t size) {
    while (size > 0) {
        size_t piece = smaller(size, input.end - input.first);
        memcpy(target, input.octets + input.first, piece);
        input.first += piece;
        target += piece;
        size -= piece;
        if (size > 0) {
            ssize_t received;
            await(peer, POLLIN, 5000);
            received = read(peer, input.octets, sizeof input.octets);
            if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR))
                _exit(ABSENT);
            input.first = 0;
            input.end = received > 0 ? (size_t)received : 0;
        }
    }
}

/* Receive a frame into a buffer of MAX_FRAME octets; returns its flags. */
static int take_frame(char *target, size_t *size) {
    unsigned char head[9];
    uint64_t length;
    take((char *)head, 2);
    if ((head[0] & ~(MORE | LONG | COMMAND)) != 0 || (head[0] & (MORE | COMMAND)) == (MORE | COMMAND))
        _exit(INCOMPATIBLE);
    length = head[1];
    if ((head[0] & LONG) != 0) {
        take((char *)head + 2, 7);
        for (int index = 2; index < 9; index++)
            length = length << 8 | head[index];
    }
    if (length > MAX_FRAME)
        _exit(INCOMPATIBLE);
    *size = (size_t)length;
    take(target, *size);
    return head[0];
}

/* Greeting and READY both ways; libzmq drops a message sent before its own READY was read. */
static void shake_hands(void) {
    static char body[MAX_FRAME];
    size_t size = 0;
    bool is_ready = false;
    send_all(GREETING READY, sizeof GREETING READY - 1); /* who has hung up may have said before who it was */
    take(body, SIGNATURE_SIZE);
    if (body[0] != '\xff' || (body[9] & 1) == 0)
        _exit(INCOMPATIBLE);
    take(body, GREETING_SIZE - SIGNATURE_SIZE);
    if ((unsigned char)body[0] < 3 || memcmp(body + 2, MECHANISM, MECHANISM_SIZE) != 0)
        _exit(INCOMPATIBLE);
    while (!is_ready) {
        bool is_command = (take_frame(body, &size) & COMMAND) != 0;
        size_t length = size > 0 ? smaller((unsigned char)body[0], size - 1) : 0;
        is_ready = length == 5 && memcmp(body + 1, "READY", 5) == 0;
        if (!is_command || (length == 5 && memcmp(body + 1, "ERROR", 5) == 0))
            _exit(INCOMPATIBLE);
    }
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static struct {
    char octets[MAX_MESSAGE];
    size_t size;
    const char *held; /* the frame that goes out when it is known whether it is the last one */
    size_t held_size;
} output;

static struct {
    const char *entries[LANDING_LIMIT];
    size_t count;
} landing;

static void flush(void) {
    if (!send_all(output.octets, output.size))
        _exit(ABSENT);
    output.size = 0;
}

static void put(const char *data, size_t size) {
    while (size > 0) {
        size_t piece = smaller(size, sizeof output.octets - output.size);
        memcpy(output.octets + output.size, data, piece);
        output.size += piece;
        data += piece;
        size -= piece;
        if (output.size == sizeof output.octets)
            flush();
    }
}

static void put_held(int flags) {
    char head[9] = {(char)flags, (char)(output.held_size & 0xff)};
    bool is_long = output.held_size > 255;
    if (is_long) {
        head[0] = (char)(flags | LONG);
        for (int index = 1; index < 9; index++)
            head[index] = (char)((uint64_t)output.held_size >> (64 - 8 * index) & 0xff);
    }
    put(head, is_long ? 9 : 2);
    put(output.held, output.held_size);
}

static void add(const char *frame, size_t size) {
    if (output.held != NULL)
        put_held(MORE);
    output.held = frame;
    output.held_size = size;
}

static void add_text(const char *frame) {
    add(frame, strlen(frame));
}

/* A request id that no other connection guesses: 64 random bits. */
static void make_identifier(char *identifier) {
    unsigned char noise[8];
    int source = open("/dev/urandom", O_RDONLY);
    if (source < 0 || read(source, noise, sizeof noise) != (ssize_t)sizeof noise)
        _exit(ABSENT);
    close(source);
    for (size_t index = 0; index < sizeof noise; index++) {
        *identifier++ = "0123456789abcdef"[noise[index] >> 4];
        *identifier++ = "0123456789abcdef"[noise[index] & 15];
    }
}

/* The first entry of the environment with this name, or NULL. */
static const char *find_entry(const char *name, size_t size) {
    char **entry = environ;
    while (*entry != NULL && (strncmp(*entry, name, size) != 0 || (*entry)[size] != '='))
        entry++;
    return *entry;
}

static const char *value_of(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

/* Whether the value of an entry is short enough to be sent; `size` is that of its name. */
static bool is_short(const char *entry, size_t size) {
    bool is_path = size == 4 && memcmp(entry, "PATH", 4) == 0;
    return strlen(entry) - size - 1 <= (is_path ? PATH_LIMIT : VALUE_LIMIT);
}

static void add_variables(void) {
    const char *name = VARIABLES;
    for (size_t size = next_word(&name, 0); size > 0; size = next_word(&name, size)) {
        const char *entry = find_entry(name, size);
        if (entry != NULL && is_short(entry, size))
            add_text(entry);
    }
}

/* Whether `line` has `$NAME` or `${NAME`; one of which it names the beginning counts as named. */
static bool is_named(const char *name, size_t size, const char *line) {
    while ((line = strchr(line, '$')) != NULL) {
        line++;
        if (strncmp(line, name, size) == 0 || (*line == '{' && strncmp(line + 1, name, size) == 0))
            return true;
    }
    return false;
}

/* Whether a variable may change where `line` lands. */
static bool is_landing(const char *name, size_t size, const char *line) {
    const char *word;
    bool is_one = false;
    if (size > 0 && is_named(name, size, line))
        return true;
    word = LANDING_NAMES;
    for (size_t length = next_word(&word, 0); length > 0 && !is_one; length = next_word(&word, length))
        is_one = length == size && memcmp(word, name, size) == 0;
    word = LANDING_PREFIXES;
    for (size_t length = next_word(&word, 0); length > 0 && !is_one; length = next_word(&word, length))
        is_one = length <= size && memcmp(word, name, length) == 0;
    word = SECRETS;
    for (size_t length = next_word(&word, 0); length > 0 && is_one; length = next_word(&word, length))
        for (size_t start = 0; start + length <= size; start++)
            is_one = is_one && memcmp(name + start, word, length) != 0;
    return is_one;
}

/* Whether the name of one entry comes before that of another. */
static bool is_before(const char *one, const char *other) {
    size_t size = strcspn(one, "="), other_size = strcspn(other, "=");
    int order = memcmp(one, other, smaller(size, other_size));
    return order < 0 || (order == 0 && size < other_size);
}

/* Choose the variables of `guard`, sorted by name; too many of them make no message. */
static void choose_landing(const char *line) {
    for (char **entry = environ; *entry != NULL; entry++) {
        size_t size = strcspn(*entry, "="), place = landing.count;
        if ((*entry)[size] == '\0' || !is_landing(*entry, size, line) || !is_short(*entry, size) ||
            find_entry(*entry, size) != *entry)
            continue;
        if (landing.count++ == LANDING_LIMIT)
            _exit(INCOMPATIBLE);
        for (; place > 0 && is_before(*entry, landing.entries[place - 1]); place--)
            landing.entries[place] = landing.entries[place - 1];
        landing.entries[place] = *entry;
    }
}

static void add_guarded(void) {
    const char *words = value_of("ALIGHT_WORDS");
    add_text(value_of("ALIGHT_BEFORE"));
    add_text(value_of("ALIGHT_LINE"));
    for (size_t index = 0; index < landing.count; index++)
        add_text(landing.entries[index]);
    while (*words != '\0') {
        size_t size = strcspn(words, "\x1f");
        add(words, size);
        words += size;
        if (*words == SEPARATOR && *++words == '\0')
            add_text(words);
    }
}

/* ---- the reply --------------------------------------------------------------------------------------------------- */

static struct {
    char octets[MAX_MESSAGE + MAX_FRAME];
    size_t used, count;
    struct {
        size_t first, size;
    } frames[MAX_FRAMES + 1];
} reply;

/* Receive one message; commands in between mean nothing. */
static void take_message(void) {
    int flags = MORE;
    reply.used = reply.count = 0;
    while ((flags & (MORE | COMMAND)) != 0) {
        size_t size = 0;
        flags = take_frame(reply.octets + reply.used, &size);
        if ((flags & COMMAND) != 0)
            continue;
        reply.frames[reply.count].first = reply.used;
        reply.frames[reply.count++].size = size;
        reply.used += size;
        if (reply.used > MAX_MESSAGE || reply.count > MAX_FRAMES)
            _exit(INCOMPATIBLE);
    }
}

static bool is_field(size_t index, const char *text) {
    size_t size = strlen(text);
    return reply.frames[index].size == size && memcmp(reply.octets + reply.frames[index].first, text, size) == 0;
}

/* Whether the reply answers this question. */
static bool is_mine(const char *identifier, const char *directory) {
    if (reply.count < 7 || !is_field(0, PROTOCOL))
        _exit(INCOMPATIBLE);
    return is_field(2, identifier) && (is_field(5, directory) || is_field(6, "failure"));
}

/* Print the reply from the version on, without the id. A separator inside a field would make two of it. */
static void print_reply(void) {
    static char text[MAX_MESSAGE + MAX_FRAMES + sizeof "end"];
    const char *rest = text;
    size_t size = 0;
    for (size_t index = 1; index < reply.count; index += index == 1 ? 2 : 1) {
        const char *field = reply.octets + reply.frames[index].first;
        for (size_t position = 0; position < reply.frames[index].size; position++)
            text[size++] = field[position] == SEPARATOR || field[position] == '\0' ? '?' : field[position];
        text[size++] = SEPARATOR;
    }
    memcpy(text + size, "end", 3);
    size += 3;
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, rest, size);
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            return; /* nobody reads it */
        if (written < 0)
            await(STDOUT_FILENO, POLLOUT, 5000);
        rest += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

/* ---- the words --------------------------------------------------------------------------------------------------- */

/* Starting a daemon is the other client's work; it lies in the same folder. */
static int spawn(const char *own, char *runtime, char *python) {
    static char script[4096], isolated[] = "-I", bare[] = "-S", verb[] = "spawn", name[] = "query.py";
    char *words[] = {python, isolated, bare, script, verb, runtime, python, NULL};
    const char *slash = strrchr(own, '/');
    size_t size = slash != NULL ? (size_t)(slash + 1 - own) : 0;
    if (size > 0 && size + sizeof name <= sizeof script) {
        memcpy(script, own, size);
        memcpy(script + size, name, sizeof name);
        if (access(script, R_OK) == 0)
            execv(python, words);
    }
    return ABSENT;
}

int main(int count, char **words) {
    static char nothing[] = "", *no_directory[] = {nothing}, identifier[17];
    const struct verb *verb = VERBS;
    char **fields = no_directory;
    if (count == 4 && strcmp(words[1], "spawn") == 0)
        return spawn(words[0], words[2], words[3]);
    while (count > 2 && verb->name != NULL && strcmp(verb->name, words[2]) != 0)
        verb++;
    if (count > 3)
        fields = words + 3;
    else if (verb->name != NULL && strcmp(verb->name, "ping") == 0)
        count++; /* its only field may be left out */
    if (count < 4 || verb->name == NULL || count - 3 != verb->fields)
        return USAGE;
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(verb->name, "guard") == 0)
        choose_landing(value_of("ALIGHT_LINE"));
    make_identifier(identifier);

    start_clock();
    connect_to(words[1]);
    shake_hands();
    add_text(PROTOCOL);
    add_text(verb->name);
    add_text(identifier);
    for (int index = 0; index < verb->fields; index++)
        add_text(fields[index]);
    if (strcmp(verb->name, "guard") == 0)
        add_guarded();
    else if (strcmp(verb->name, "ask") == 0 || strcmp(verb->name, "note") == 0)
        add_variables();
    put_held(0);
    flush();
    do
        take_message();
    while (!is_mine(identifier, fields[verb->directory]));
    close(peer);
    print_reply();
    return is_field(6, "failure") ? FAILED : SERVED;
}
