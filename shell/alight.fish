# alight for fish: asks the daemon at the prompt what belongs here and applies the answer as data.
#
# Source this file from an interactive fish (3.4 or newer), or pipe the output of `alight init fish` into `source`.
# The wire is described in PROTOCOL.md. Names that begin with __alight are private; the public ones are the function
# `alight`, the function `deactivate` while an environment is on, and the variables ALIGHT_*.
#
# A command substitution costs as much as fifty builtins here, and ten times that in a shell that has been idle: what every
# prompt, Enter and `cd` runs does without, and takes words apart by the named groups of `string match`, which become
# variables.
#
# fish reserves `set`, `test`, `read`, `string`, `status` and the keywords; every other builtin could be shadowed by a
# function of the user's, so it is called through `builtin`.

if not status is-interactive; or status is-command-substitution; or test "$ALIGHT_DISABLE" = 1
    return 0
end

# fish knows the effective uid; the real one is read where the system shows it, and asked for once elsewhere.
function __alight_uid
    set -g __alight_euid "$EUID"
    set -l real
    if test -r /proc/self/status
        read --null --local text </proc/self/status
        string match --quiet --regex '(?m)^Uid:\s+(?<real>\d+)\s+(?<__alight_euid>\d+)' -- "$text"
    else
        set real (command id -ru 2>/dev/null)
        test -n "$__alight_euid"; or set -g __alight_euid (command id -u 2>/dev/null)
    end
    test -n "$real" -a "$real" = "$__alight_euid"; or return 1
    not test "$real" = 0 -a -n "$SUDO_UID"
end

if not __alight_uid
    builtin functions --erase __alight_uid
    set --erase --global __alight_euid
    return 0
end
builtin functions --erase __alight_uid

# --- wire: the one-shot client --------------------------------------------------------------------

# Runs the client with a verb and its fields. Leaves its exit code in __alight_code and the fields it printed in
# __alight_reply. Without a socket there is nobody to ask, so nothing is started.
function __alight_exchange
    set -g __alight_code 3
    set -g __alight_reply
    test -d $__alight_runtime -a -O $__alight_runtime -a ! -L $__alight_runtime -a -S $__alight_runtime/alight.sock
    or return
    test -x "$__alight_call[1]" -a -r "$__alight_call[-1]"; or return
    # A field may hold a newline: what is printed stays one string until it is split at US.
    set -l printed (
        command $__alight_call $__alight_runtime/alight.sock $argv </dev/null 2>/dev/null |
        string collect --no-trim-newlines
        set -g __alight_code $pipestatus[1]
    )
    test $__alight_code = 0; and set -g __alight_reply (string split -- \x1f "$printed")
end

# Seconds on a clock, read without a fork. Where neither /proc nor `path` (fish 3.5) is there, each look is a second.
function __alight_look_at_clock
    if test -r /proc/uptime
        read -l seconds rest </proc/uptime
        set -g __alight_clock (string replace -r '\..*' '' -- $seconds)
    else if builtin contains -- path (builtin --names)
        set -g __alight_clock (builtin math (builtin path mtime /) + (builtin path mtime --relative /))
    else
        set -g __alight_clock (builtin math $__alight_clock + 1)
    end
end

# Whether the clock is inside a span; one that was set back is not.
function __alight_is_between --argument-names from until
    test $__alight_clock -ge $from -a $__alight_clock -lt $until
end

function __alight_open_breaker --argument-names seconds
    __alight_look_at_clock
    set -g __alight_open_from $__alight_clock
    set -g __alight_open_until (builtin math $__alight_clock + $seconds)
end

function __alight_close_breaker
    set -g __alight_open_from 0
    set -g __alight_open_until 0
end

# Whether the daemon may be asked. The clock is looked at only after a fault.
function __alight_may_ask
    test $__alight_open_until = 0; and return
    __alight_look_at_clock
    __alight_is_between $__alight_open_from $__alight_open_until; and return 1
    __alight_close_breaker
end

# --- state and display ----------------------------------------------------------------------------

function __alight_show --argument-names state name kind python text
    test "$__alight_adopted|$state|$name|$kind|$python|$text" = "$__alight_shown"; and return
    # What is adopted depends on more.
    set -g __alight_shown "|$state|$name|$kind|$python|$text"
    set -gx ALIGHT_STATE $state
    set -gx ALIGHT_ENV_NAME $name
    set -gx ALIGHT_ENV_KIND $kind
    set -gx ALIGHT_PYTHON_VERSION $python
    # Whoever switched an adopted environment on has put the name into the prompt already.
    if test -n "$__alight_adopted"
        set -l own "$VIRTUAL_ENV_DISABLE_PROMPT"
        test -z "$__alight_conda"; or set own (test -z "$CONDA_PROMPT_MODIFIER"; and echo yes)
        test -n "$own"; or set text ''
    end
    set -gx ALIGHT_PROMPT $text
    if string match --quiet --regex '[\x00-\x1f\x7f-\x9f]' -- "$text"
        set -g __alight_text (__alight_printable $text)
    else
        set -g __alight_text "$text"
    end
end

# Data from the wire must not reach the terminal raw.
function __alight_printable --argument-names text
    string replace --all --regex '[\x00-\x1f\x7f-\x9f]' '?' -- "$text"
end

# Prints a line once per shell.
function __alight_say --argument-names text
    test -n "$text"; or return
    builtin contains -- "$text" $__alight_said; and return
    set -ga __alight_said "$text"
    builtin printf '%s\n' (__alight_printable $text) >&2
end

# Something else than our wrapper was `fish_prompt` last time it was drawn: wraps that. Each wrapper calls the function
# it was put around and no other, so that venv's own wrapping, in whatever order it comes and goes, never makes a loop.
function __alight_wrap_prompt
    set -g __alight_undrawn 1
    __alight_is_segment_off; and return
    __alight_has_framework; and return
    builtin functions --query fish_prompt; or return
    set -g __alight_undrawn 0
    set -l details (builtin functions --details --verbose fish_prompt)
    test "$details[5]" = 'The prompt, with the environment in front'; and return
    set -g __alight_layer (builtin math $__alight_layer + 1)
    set -l below __alight_prompt_$__alight_layer
    builtin functions --copy fish_prompt $below
    function fish_prompt --description 'The prompt, with the environment in front' --inherit-variable below
        # $status and $pipestatus are the command's to what is below; `set` and `switch` leave them alone.
        set -lx __alight_depth "x$__alight_depth"
        switch "$pipestatus|$status"
            case '0|0'
                set -g __alight_drawn 1
                test "$__alight_depth" = x -a -n "$__alight_text"; and __alight_segment
                builtin true
                $below
            case '*'
                # The line behind tells how the prompt ended; a pipe into `string collect` would cost more than all the rest.
                set -l IFS \n
                set -l text ($below; builtin printf '\n.')
                set -e text[-1]
                set -g __alight_drawn 1
                test "$__alight_depth" = x -a -n "$__alight_text"; and __alight_segment
                builtin printf %s $text[1]
                set -q text[2]; and builtin printf '\n%s' $text[2..-1]
        end
    end
end

# Plain text and a space: no part of it is expanded by anything.
function __alight_segment
    test "$__alight_wants_segment|$ALIGHT_DISABLE|$VIRTUAL_ENV_DISABLE_PROMPT" = '1||'; or return
    test -z "$ALIGHT_PROMPT_SEGMENT"; or not __alight_is_segment_off; or return
    # The environment's own script shows its name already.
    test "$ALIGHT_STATE" = active; and builtin functions --query _old_fish_prompt; and return
    builtin printf '%s ' $__alight_text
end

function __alight_is_segment_off
    builtin contains -- "$ALIGHT_PROMPT_SEGMENT" 0 false no off; or test -n "$VIRTUAL_ENV_DISABLE_PROMPT"
end

function __alight_has_framework
    test -n "$STARSHIP_SHELL$POSH_THEME"; and return 0
    set -q tide_left_prompt_items; or set -q _tide_left_items; or set -q pure_version; and return 0
    set -q _omp_executable; or set -q POSH_SHELL_VERSION; or set -q SPACESHIP_VERSION; and return 0
    for name in tide _pure_prompt omp_repaint_prompt __bobthefish_prompt_status
        builtin functions --query $name; and return 0
    end
    return 1
end

# What tells, without asking anybody, that the last answer may be out of date: the mark (of the reply where there was
# one, since news may have come between) and the arguments of one `test` of everything that was seen at this moment.
function __alight_expect
    set -g __alight_news /dev/null
    set -g __alight_expected -a -n x
    if test -n "$__alight_generation" -a -r "$__alight_generation"
        set -g __alight_news $__alight_generation
        set -g __alight_expected -a -r $__alight_news
    end
    if set -q argv[1]
        set -g __alight_mark $argv[1]
    else
        read -g __alight_mark <$__alight_news
    end
    set -l signs $__alight_witnesses
    if test -n "$__alight_applied"
        builtin contains -- $__alight_sign $signs; or set -a signs $__alight_sign
    end
    for sign in $signs
        test -n "$sign"; or continue
        if not test -e $sign
            set -ga __alight_expected -a ! -e $sign
        else if test $sign -nt $__alight_news
            set -ga __alight_expected -a $sign -nt $__alight_news
        else
            set -ga __alight_expected -a -e $sign -a ! $sign -nt $__alight_news
        end
    end
    __alight_remember_session
end

function __alight_remember_session
    set -g __alight_here $PWD
    set -g __alight_session "01$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|\
$WORKON_HOME|$PIPENV_PIPFILE|$PIPENV_VENV_IN_PROJECT|$PIPENV_CUSTOM_VENV_NAME|$PIPENV_PYTHON|$POETRY_VIRTUALENVS_PATH|\
$POETRY_VIRTUALENVS_IN_PROJECT|$PDM_PYTHON|$PDM_IGNORE_SAVED_PYTHON|$PDM_USE_VENV|$PDM_VENV_IN_PROJECT|$HATCH_ENV|\
$UV_PROJECT_ENVIRONMENT|$PYENV_ROOT|$PYENV_VERSION|$ASDF_PYTHON_VERSION|\
$DIRENV_DIR|$PATH"
end

# --- applying and undoing -------------------------------------------------------------------------

# Whether a variable may be set by a plan at all. fish's own ones may name files that it runs.
function __alight_may_set --argument-names name
    string match --quiet --regex '\A[A-Za-z_][A-Za-z0-9_]*\z' -- "$name"; or return 1
    switch $name
        case PATH PS1 IFS ENV BASH_ENV ZDOTDIR PROMPT_COMMAND 'LD_*' 'DYLD_*'
            return 1
        case 'fish_*' '__fish_*' '__alight_*' PWD SHLVL argv history status pipestatus
            return 1
    end
end

# The former value of a global variable; a universal one of that name is only ever hidden, never touched.
function __alight_record
    builtin contains -- $argv[1] $__alight_ours; and return
    set -ga __alight_ours $argv[1]
    if not set -qg $argv[1]
        set -g __alight_"$argv[1]"_was unset
        return
    end
    set -g __alight_"$argv[1]"_former $$argv[1]
    if set -qgx $argv[1]
        set -g __alight_"$argv[1]"_was exported
    else
        set -g __alight_"$argv[1]"_was set
    end
end

function __alight_put_back
    set -l __alight_v_was __alight_"$argv[1]"_was
    set -l __alight_v_former __alight_"$argv[1]"_former
    switch $$__alight_v_was
        case exported
            set -gx $argv[1] $$__alight_v_former
        case set
            set -gu $argv[1] $$__alight_v_former
    end
end

# Undoes our variables, but for what the user changed meanwhile.
function __alight_undo
    for __alight_v in $__alight_ours
        set -l __alight_v_value __alight_"$__alight_v"_value
        if set -q $__alight_v_value
            set -qg $__alight_v; and test "$$__alight_v" = "$$__alight_v_value"; or continue
        else
            test -z "$$__alight_v"; or not set -qg $__alight_v; or continue
        end
        set -l __alight_v_was __alight_"$__alight_v"_was
        if test "$$__alight_v_was" = unset
            set -eg $__alight_v
        else
            __alight_put_back $__alight_v
        end
    end
end

# Takes what was added (`NEW`, or `OLD:NEW` where it stands in the place of another) out of the lists it is in. A script
# that was sourced while ours was on remembers our entries, and would bring them back.
function __alight_take_out --argument-names added
    # Where it was put, and nobody else was there: no look for its place.
    if test "$PATH[1]" = "$added"; and not set -qg _OLD_VIRTUAL_PATH
        set -e PATH[1]
        return
    end
    set -l pair (string split --max 1 -- : $added)
    for list in PATH _OLD_VIRTUAL_PATH
        set -qg $list; or continue
        if set -l at (builtin contains --index -- $pair[-1] $$list)
            # What was replaced comes back unless it is there again.
            if set -q pair[2]; and not builtin contains -- $pair[1] $$list
                set -g "$list"[$at] $pair[1]
            else
                set -eg "$list"[$at]
            end
        end
    end
end

# Leaves our environment: by value, so that what the user changed meanwhile stays. Where the user has put another one in
# its place, or has taken it off conda's stack, there is nothing to leave. A keystroke may interrupt any function of
# fish; what was begun is then finished at the next prompt.
function __alight_leave
    set -g __alight_unfinished 1
    set -g __alight_session ''
    if test -n "$__alight_conda" -a "$CONDA_PREFIX" != "$__alight_conda" \
            -o -n "$__alight_adopted" -a "$VIRTUAL_ENV|$CONDA_PREFIX" != "$__alight_adopted"
        __alight_forget
        return
    end
    while set -q __alight_on_leave[1]
        # What Ctrl-C ends is not begun again.
        set -l file $__alight_on_leave[1]
        set -e __alight_on_leave[1]
        __alight_source $file
    end
    set -l after $__alight_after_leave
    set -l touched "$__alight_adopted$__alight_conda$after"
    if test -z "$__alight_adopted"
        __alight_undo
        for added in $__alight_added
            __alight_take_out $added
        end
    else if test -n "$__alight_conda"
        __alight_pop
    else if builtin functions --query deactivate
        # The function of the environment's own script; never a command.
        deactivate
    else
        set -eg VIRTUAL_ENV VIRTUAL_ENV_PROMPT
        __alight_take_out $__alight_applied/bin
    end
    __alight_forget
    # What the environment's script did to `fish_prompt` is undone now, too: look at it again.
    test -z "$touched"; or set -g __alight_drawn 0
    for file in $after
        __alight_source $file
    end
end

# An environment's own script may have put its function in the place of ours; it also sets the variable.
function __alight_owns_deactivate
    set -qg _OLD_VIRTUAL_PATH; or return 0
    set -l details (builtin functions --details --verbose deactivate)
    test "$details[5]" = 'Leave the environment that alight switched on'
end

function __alight_forget
    if test "$__alight_deactivate_is_ours" = 1
        builtin functions --query deactivate; and __alight_owns_deactivate; and builtin functions --erase deactivate
        set -g __alight_deactivate_is_ours 0
    end
    for name in $__alight_ours
        set -eg __alight_"$name"_{value,was,former}
    end
    # What is not set is empty.
    set -eg __alight_ours __alight_added __alight_on_leave __alight_after_leave __alight_applied __alight_sign \
        __alight_adopted __alight_conda __alight_entry __alight_unfinished
end

# conda's stack: the level in __alight_level, 0 when it is none, and in __alight_below the prefix one level down.
function __alight_look_at_stack
    set -g __alight_level 0
    set -g __alight_below ''
    string match --quiet --regex '\A([1-9]|[1-5][0-9]|6[0-4])\z' -- "$CONDA_SHLVL"; or return 0
    set -g __alight_level $CONDA_SHLVL
    set -l name CONDA_PREFIX_(builtin math $__alight_level - 1)
    test $__alight_level = 1; or set -g __alight_below "$$name"
end

# Leaves the top of conda's stack as `conda deactivate` would (PROTOCOL.md 5.1), but for scripts.
function __alight_pop
    __alight_look_at_stack
    test $__alight_level = 0; and return
    set -l under (builtin math $__alight_level - 1)
    set -l stacked CONDA_STACKED_$__alight_level
    set -l at (builtin contains --index -- $CONDA_PREFIX/bin $PATH)
    if test -z "$__alight_below"
        for name in CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER
            set -eg $name
        end
        set -gx CONDA_SHLVL 0
        test -z "$at"; or set -e PATH[$at]
    else
        set -gx CONDA_PREFIX $__alight_below
        set -gx CONDA_SHLVL $under
        set -gx CONDA_DEFAULT_ENV $__alight_below
        if test "$__alight_below" = "$_CONDA_ROOT" -o "$CONDA_EXE" = "$__alight_below/bin/conda"
            set -gx CONDA_DEFAULT_ENV base
        else if string match --quiet --regex '/envs/[^/]+\z' -- $__alight_below
            set -gx CONDA_DEFAULT_ENV (string replace --regex '\A.*/(?=[^/]*\z)' '' -- $__alight_below | string collect)
        end
        test -z "$CONDA_PROMPT_MODIFIER"; or set -gx CONDA_PROMPT_MODIFIER "($CONDA_DEFAULT_ENV) "
        set -eg CONDA_PREFIX_$under
        if set -q $stacked
            set -eg $stacked
            test -z "$at"; or set -e PATH[$at]
        else if test -n "$at"
            set PATH[$at] $__alight_below/bin
        else if not builtin contains -- $__alight_below/bin $PATH
            set -gx PATH $__alight_below/bin $PATH
        end
    end
    for name in (set --names | string match --regex "\A__CONDA_SHLVL_"$under"_.+")
        set -l former (string replace __CONDA_SHLVL_"$under"_ '' -- $name)
        __alight_may_set $former; or continue
        set -gx $former $$name
        set -eg $name
    end
end

# Every operation of a plan to do something with an environment is checked before the first one is applied.
function __alight_are_valid --argument-names action prefix
    set -g __alight_bare 1
    for operation in $argv[3..-1]
        set -l words (string split --max 1 -- ' ' $operation)
        set -q words[2]; or return 1
        # Only entering puts anything in; cleaning takes away.
        switch $action:$words[1]
            case 'enter:*' clean:drop clean:path-remove clean:conda-pop
            case keep:on-leave keep:after-leave adopt:on-leave adopt:after-leave
            case '*'
                return 1
        end
        set -l pair (string split --max 1 -- = $words[2])
        switch $words[1]
            case set
                set -q pair[2]; and __alight_may_set $pair[1]; or return 1
                builtin contains -- $pair[1] VIRTUAL_ENV CONDA_PREFIX; and set -g __alight_bare 0
            case save
                set -q pair[2]; and __alight_may_set $pair[1]; and __alight_may_set $pair[2]; or return 1
            case unset drop
                __alight_may_set $words[2]; or return 1
            case path-add
                string match --quiet --regex '\A/[^:]*\z' -- $words[2]; or return 1
                if not __alight_are_one $words[2] $prefix/bin
                    set -l root (string replace --regex '/condabin\z' '' -- $words[2] | string collect)
                    test "$root/condabin" = "$words[2]"; and __alight_is_own $root/conda-meta; or return 1
                end
            case path-replace
                set -l entries (string split -- : $words[2])
                test (builtin count $entries) = 2 -a "$entries[1]" != "$entries[2]"; or return 1
                string match --quiet --regex '\A/' -- $entries[1]; and __alight_are_one $entries[2] $prefix/bin; or return 1
            case path-remove conda-pop
                string match --quiet --regex '\A/[^:]*\z' -- $words[2]; or return 1
            case run on-leave after-leave
                __alight_look_at_stack
                set -l homes $__alight_applied "$VIRTUAL_ENV" "$CONDA_PREFIX" $__alight_below
                test $action = enter; and set -a homes $prefix
                __alight_is_place $words[1] $words[2] $homes; or return 1
            case '*'
                return 1
        end
    end
    return 0
end

# Whether an operation may source a file: it lies in one of these environments, which is to be entered, is on, or is the
# one below it.
function __alight_is_place --argument-names operation file
    string match --quiet --regex '\A/(?s:.*)[^/]\z' -- $file; or return 1
    set -l folder (string replace --regex '/[^/]*\z' '' -- $file | string collect)
    set -l name (string replace --regex '\A(?s:.*)/' '' -- $file | string collect)
    for home in $argv[3..-1]
        string match --quiet --regex '\A/.' -- $home; or continue
        test $operation != on-leave; and __alight_are_one $folder $home/etc/conda/activate.d; and return 0
        test $operation != after-leave; and __alight_are_one $folder $home/etc/conda/deactivate.d; and return 0
        builtin contains -- "$operation:$name" run:postactivate on-leave:predeactivate after-leave:postdeactivate
        or continue
        __alight_are_one $folder $home/bin; or __alight_are_one $folder $home/..; and return 0
    end
    return 1
end

# Whether two paths lead to one directory.
function __alight_are_one
    set -l one (builtin realpath -- $argv[1] 2>/dev/null | string collect)
    set -l other (builtin realpath -- $argv[2] 2>/dev/null | string collect)
    test -d "$one" -a "$one" = "$other"
end

# What is root's is what we cannot write.
function __alight_is_own --argument-names file
    test -e $file; or return 1
    test -O $file; or not test -w $file
end

function __alight_is_stamp --argument-names stamp
    string match --quiet --regex '\A(?<__alight_folder>/(?s:.*/)?alight/trust)/[0-9a-f]{64}\.json\z' -- "$stamp"; or return 1
    test -f $stamp -a -O $stamp -a ! -L $stamp -a -O $__alight_folder
end

# A reply can at most choose among environments that this shell finds to be the user's own and approved. What tells that
# the environment is there is left in __alight_found.
function __alight_may_enter --argument-names prefix stamp
    string match --quiet --regex '\A/[^:]*\z' -- "$prefix"; or return 1
    test -d $prefix/bin; or return 1
    set -g __alight_found $prefix/pyvenv.cfg
    test -f $__alight_found; or set -g __alight_found $prefix/conda-meta
    test -e $__alight_found -o $__alight_bare = 0; or set -g __alight_found $prefix/bin/python
    __alight_is_own $__alight_found; and __alight_is_stamp "$stamp"
end

function __alight_apply
    for operation in $argv
        string match --quiet --regex '\A(?<__alight_verb>\S*) (?<__alight_rest>(?<__alight_name>[^=]*)=?(?<__alight_value>(?s:.*)))\z' -- $operation
        set -l rest $__alight_rest
        switch $__alight_verb
            case set
                __alight_set $__alight_name "$__alight_value"
            case save
                set -q $__alight_value; and __alight_set $__alight_name "$$__alight_value"
            case unset
                __alight_unset $rest
            case drop
                __alight_drop $rest
            case path-remove
                while set -l at (builtin contains --index -- $rest $PATH)
                    set -e PATH[$at]
                end
            case path-add
                __alight_put_first $rest
            case path-replace
                __alight_replace $rest (string split --max 1 -- : $rest)
            case conda-pop
                test "$CONDA_PREFIX" = "$rest"; and __alight_pop
            case run
                set -g __alight_unfinished script
                __alight_source $rest
                set -g __alight_unfinished 1
            case on-leave
                set -ga __alight_on_leave $rest
            case after-leave
                set -ga __alight_after_leave $rest
        end
    end
end

function __alight_set
    __alight_record $argv[1]
    set -g __alight_"$argv[1]"_value $argv[2]
    set -gx $argv[1] $argv[2]
end

function __alight_put_first --argument-names directory
    set -ga __alight_added $directory
    string match --quiet '*/condabin' -- $directory; or set -g __alight_entry $directory
    set -gx PATH $directory $PATH
end

function __alight_replace --argument-names both old new
    if not set -l at (builtin contains --index -- $old $PATH)
        __alight_put_first $new
        return
    end
    set -ga __alight_added $both
    set -g __alight_entry $new
    set PATH[$at] $new
    while set -l more (builtin contains --index -- $old $PATH)
        set -e PATH[$more]
    end
end

function __alight_unset
    set -q $argv[1]; or return
    __alight_record $argv[1]
    set -eg __alight_"$argv[1]"_value
    set -eg $argv[1]
    # A universal variable is the user's setting for all shells, and exported in spite of an unexported global one: an
    # empty value hides it, which counts as none wherever a plan unsets anything.
    set -qU $argv[1]; and set -gx $argv[1] ''
    return 0
end

# Repairs what another shell left behind. fish exports what a script keeps for its own undo; without its function it
# would only put an old PATH back one day.
function __alight_drop
    if test $argv[1] = VIRTUAL_ENV
        if builtin functions --query deactivate
            deactivate
        else
            for kept in PATH PYTHONHOME TCL_LIBRARY TK_LIBRARY
                set -eg _OLD_VIRTUAL_$kept
            end
            set -eg _OLD_PKG_CONFIG_PATH
            set -eg _OLD_FISH_PROMPT_OVERRIDE
        end
    end
    set -eg $argv[1]
end

# Whether a script is one of the environment that the stamp is about.
function __alight_is_approved --argument-names file
    set -l folder (string replace --regex '/[^/]*\z' '' -- $file | string collect)
    for own in bin etc/conda/activate.d etc/conda/deactivate.d
        __alight_are_one $folder $__alight_approved/$own; and return 0
    end
    return 1
end

# Sources a file of the environment's own: a regular one, ours or root's, that nobody else can write and that, in the
# approved environment, has not changed since the approval. `exit` in it ends the file, not the shell.
function __alight_source
    test -f $argv[1] -a ! -L $argv[1]; and __alight_is_stamp "$__alight_stamp"; or return 0
    test $argv[1] -nt $__alight_stamp; and __alight_is_approved $argv[1]; and return 0
    # No builtin tells a mode or whose a file is: one fork, in environments that have such files.
    set -l found (command find $argv[1] ! -perm -020 ! -perm -002 \( -user $__alight_euid -o -user 0 \) 2>/dev/null)
    test -n "$found"; and builtin source $argv[1] ''
    return 0
end

# Whether the fields of a plan have the shape that they should have, and its operations are ones that may be applied.
function __alight_is_in_order
    string match --quiet --invert --regex '\A(/|\z)' -- $argv[7..8] $argv[20..23]; and return 1
    if test -n "$argv[18]"
        set -q __alight_runtime_pattern; or set -g __alight_runtime_pattern (string escape --style=regex -- $__alight_runtime)
        string match --quiet --regex "\A$__alight_runtime_pattern/" -- $argv[18]; or return 1
    end
    set -l operations
    set -q argv[25]; and set operations $argv[24..-2]
    __alight_are_valid "$argv[6]" "$argv[8]" $operations
end

# Takes over a plan. Returns 1 when any field is not what it should be; nothing was applied then.
function __alight_take
    set -l f $__alight_reply
    if test "$argv[1]" = again
        # This very plan was found in order less than 30 s ago, and its operations call for no look at the disk.
        set -g __alight_bare 0
    else
        # version, epoch, generation, directory, verb, 18 fields of the plan, and the end.
        set -q f[24]; and test "$f[-1]" = end -a "$f[5]" = plan -a "$f[4]" = "$PWD"; or return 1
        __alight_is_in_order $f; or return 1
    end
    set -l prefix $f[8]
    switch $f[6]
        case keep
            test -z "$f[10]" -o "$f[10]" = "$__alight_stamp"; or __alight_is_stamp $f[10]; or return 1
            if test -n "$__alight_applied"
                test -z "$f[10]"; or set -g __alight_stamp $f[10]
                set -eg __alight_on_leave __alight_after_leave
                set -q f[25]; and __alight_apply $f[24..-2]
            end
        case adopt
            test -n "$prefix"; or return 1
            test -z "$f[10]"; or __alight_is_stamp $f[10]; or return 1
            __alight_forget
            set -g __alight_applied $prefix
            set -g __alight_adopted "$VIRTUAL_ENV|$CONDA_PREFIX"
            set -g __alight_stamp $f[10]
            set -g __alight_approved $prefix
            set -g __alight_sign $prefix/pyvenv.cfg
            test -f $__alight_sign; or set -g __alight_sign $prefix/conda-meta
            test -n "$VIRTUAL_ENV"; or set -g __alight_conda $CONDA_PREFIX
            set -q f[25]; and __alight_apply $f[24..-2]
            __alight_look_at_stack
            set -g __alight_entered_at $__alight_level
        case enter
            __alight_may_enter $prefix $f[10]; or return 1
            test -z "$__alight_applied"; or __alight_leave
            set -g __alight_unfinished 1
            set -g __alight_session ''
            set -g __alight_applied $prefix
            set -g __alight_sign $__alight_found
            set -g __alight_stamp $f[10]
            set -g __alight_approved $prefix
            set -g __alight_root $f[7]
            set -q f[25]; and __alight_apply $f[24..-2]
            test $__alight_bare = 1; or set -g __alight_entry ''
            if set -q __alight_CONDA_PREFIX_value
                set -g __alight_conda $__alight_CONDA_PREFIX_value
                __alight_look_at_stack
                set -g __alight_entered_at $__alight_level
            end
            if not builtin functions --query deactivate
                set -g __alight_deactivate_is_ours 1
                function deactivate --description 'Leave the environment that alight switched on'
                    __alight_deactivate $argv
                end
            end
            set -eg __alight_unfinished
        case leave clean
            test -z "$__alight_applied"; or __alight_leave
            test $f[6] = clean; and set -q f[25]; and __alight_apply $f[24..-2]
        case '*'
            return 1
    end
    set -g __alight_root $f[7]
    set -g __alight_owner $f[9]
    if test -n "$__alight_declined"
        set -l here $f[7]
        test -n "$here"; or set here -
        if test "$here" != "$__alight_declined"
            set -g __alight_declined ''
            test $__alight_switch = paused; and set -g __alight_switch on
        end
    end
    set -g __alight_generation $f[18]
    set -g __alight_witnesses $f[20..23]
    if test "$f[16]" != "$__alight_wants_segment"
        set -g __alight_drawn 0
        set -g __alight_wants_segment $f[16]
    end
    __alight_show $f[11..15]
    test -z "$f[17]"; or __alight_say $f[17]
    test "$argv[1]" = again; or __alight_expect $f[19]
    return 0
end

# --- the prompt -----------------------------------------------------------------------------------

# Asks and applies, or applies what was answered to the very same question less than 30 s ago, if the mark and the
# witnesses of that answer are as they were: the same test that a prompt makes where nothing was asked. Not after anything
# that the user said to us. The arguments are the status of the last command, and 0 when nothing calls for a new answer. A
# shell that has the function `deactivate` did not inherit what is on: it was switched on right here, by a start-up file.
function __alight_ask --argument-names code forced
    set -l first $__alight_first
    builtin functions --query deactivate; and set first 0
    # The variables are those that the client sends; in one piece, since a loop would take longer than all the rest.
    set -l key "$PWD|$__alight_switch|$__alight_owner|$__alight_applied|$__alight_declined|$first|\
$PATH|$VIRTUAL_ENV|$VIRTUAL_ENV_PROMPT|$VIRTUAL_ENV_DISABLE_PROMPT|$CONDA_PREFIX|$CONDA_DEFAULT_ENV|$CONDA_SHLVL|\
$CONDA_PREFIX_1|$CONDA_PREFIX_2|$CONDA_CHANGEPS1|$PYTHONHOME|$PKG_CONFIG_PATH|$PYENV_VIRTUAL_ENV|\
$PYENV_ACTIVATE_SHELL|$POETRY_ACTIVE|$PIPENV_ACTIVE|$HATCH_ENV_ACTIVE|$PIXI_IN_SHELL|$DIRENV_DIR|$DIRENV_DIFF|\
$__MISE_DIFF|$TERM_PROGRAM|$CONDA_EXE|$_CONDA_ROOT|$MAMBA_EXE|$MAMBA_ROOT_PREFIX|$CONDA_ENVS_DIRS|$CONDA_ENVS_PATH|\
$CONDARC|$WORKON_HOME|$VIRTUALFISH_HOME|$PIPENV_PIPFILE|$PIPENV_VENV_IN_PROJECT|$PIPENV_CUSTOM_VENV_NAME|\
$PIPENV_PYTHON|$PIPENV_MAX_DEPTH|$POETRY_VIRTUALENVS_PATH|$POETRY_VIRTUALENVS_IN_PROJECT|$POETRY_CACHE_DIR|\
$POETRY_CONFIG_DIR|$PDM_PYTHON|$PDM_IGNORE_SAVED_PYTHON|$PDM_USE_VENV|$PDM_VENV_IN_PROJECT|$PDM_CONFIG_FILE|\
$HATCH_DATA_DIR|$HATCH_CONFIG|$HATCH_ENV|$HATCH_ENV_TYPE_VIRTUAL_PATH|$UV_PROJECT_ENVIRONMENT|$UV_PYTHON_INSTALL_DIR|\
$UV_CACHE_DIR|$PYENV_ROOT|$PYENV_VERSION|$PIXI_HOME|$MISE_DATA_DIR|$ASDF_DATA_DIR|$ASDF_PYTHON_VERSION|$XDG_DATA_HOME|\
$XDG_CACHE_HOME|$XDG_CONFIG_HOME|$HOME"
    if test "$forced" = 0
        for known in $__alight_memory
            test "$$known[1][1]" = "$key"; or continue
            __alight_recall $known
            and __alight_take again
            and __alight_remember_session
            and set -g __alight_dirty 0
            and return
            break
        end
    end
    __alight_exchange ask fish $fish_pid "$PWD" $__alight_switch "$__alight_owner" "$__alight_applied" \
        "$__alight_declined" $code $first
    set -g __alight_dirty 0
    switch $__alight_code
        case 0
            set -g __alight_first 0
            if __alight_take
                __alight_memorize "$key"
                return
            end
        case 3
            __alight_spawn
        case 4
            set -g __alight_dirty 1
            __alight_open_breaker 30
        case 5
            set -g __alight_dirty 1
            __alight_open_breaker 60
    end
    __alight_alone
    __alight_expect
end

# Whether the answer of this name in the memory is still good; its fields are left in __alight_reply.
function __alight_recall --argument-names known
    set -l kept $$known
    set -l expected "$known"_expected
    read -l now rest </proc/uptime
    # What is there and older than the mark's file, or absent, as in `__alight_on_prompt`.
    test "$now" -lt $kept[3] -a "$now" -ge $kept[2] $$expected
    and read -g __alight_mark <$kept[4]
    and test "$__alight_mark" = "$kept[5]"
    or return 1
    set -g __alight_reply $kept[6..-1]
    set -g __alight_news $kept[4]
    set -g __alight_expected $$expected
end

# Remembers an answer that was just taken over, for 30 s. Only the plainest: what else an environment brings is worth the
# question. Where no clock can be read without a fork nothing is remembered.
function __alight_memorize --argument-names key
    test -r /proc/uptime -a "$__alight_news" != /dev/null; or return
    switch $__alight_reply[6]
        case keep leave
            test "$__alight_reply[24]" = end; or return
        case enter
            for operation in $__alight_reply[24..-2]
                builtin contains -- $operation "path-add $__alight_reply[8]/bin" 'unset PYTHONHOME'
                or string match --quiet --regex '\Aset VIRTUAL_ENV(_PROMPT)?=' -- $operation
                or return
            end
            string match --quiet 'set VIRTUAL_ENV=*' -- $__alight_reply[24..-2]; or return
        case '*'
            return
    end
    # The oldest of 32 makes room, and what was asked last is found first.
    set -l known __alight_memory_(builtin count $__alight_memory)
    if set -q __alight_memory[32]
        set known $__alight_memory[32]
        set -e __alight_memory[32]
    end
    set -p __alight_memory $known
    read -l now rest </proc/uptime
    set -g $known "$key" $now (builtin math $now + 30) $__alight_news "$__alight_mark" $__alight_reply
    set -g "$known"_expected $__alight_expected
end

# Whether the user has switched off what is applied by other means than ours. Another environment on top is no such word.
function __alight_is_off
    if test -n "$__alight_conda"
        test "$CONDA_PREFIX" = "$__alight_conda"; and return 1
        __alight_look_at_stack
        test -z "$CONDA_PREFIX" -o $__alight_level -lt $__alight_entered_at
    else if test -n "$__alight_entry"
        not builtin contains -- $__alight_entry $PATH
    else
        test -z "$VIRTUAL_ENV"
    end
end

# Without an answer the shell still must not keep an environment that is gone or of a project it has left.
function __alight_alone
    test -n "$__alight_applied"; or return
    if test -e $__alight_sign
        test "$__alight_root" = / -o "$PWD" = "$__alight_root"; and return
        # Without patterns: a root may hold any octet.
        test (string sub --length (string length -- "$__alight_root/") -- "$PWD" | string collect) = "$__alight_root/"
        and return
    end
    __alight_leave
    set -g __alight_owner ''
    __alight_show none '' '' '' ''
end

# Starts the daemon, at most once in ten seconds. A child of a child is no job of this shell, and $last_pid stays.
function __alight_spawn
    set -g __alight_dirty 1
    __alight_look_at_clock
    __alight_is_between $__alight_spawned_from $__alight_spawned_until; and return
    set -g __alight_spawned_from $__alight_clock
    set -g __alight_spawned_until (builtin math $__alight_clock + 10)
    test -x "$__alight_python" -a -r "$__alight_client" -a -x "$__alight_daemon_python"; or return
    # Beside a compiled client lies the one in Python, which knows how.
    set -l script (string replace --regex '[^/]*\z' query.py -- $__alight_client | string collect)
    set -l words $__alight_python -I -S $script spawn $__alight_runtime $__alight_daemon_python
    set -l nothing (command /bin/sh -c '"$@" </dev/null >/dev/null 2>&1 &' alight $words 2>/dev/null)
end

# Whether nothing has happened since the last answer; the prompt was drawn by our wrapper, if there is one.
function __alight_is_same
    test "$__alight_dirty$__alight_drawn$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|\
$WORKON_HOME|$PIPENV_PIPFILE|$PIPENV_VENV_IN_PROJECT|$PIPENV_CUSTOM_VENV_NAME|$PIPENV_PYTHON|$POETRY_VIRTUALENVS_PATH|\
$POETRY_VIRTUALENVS_IN_PROJECT|$PDM_PYTHON|$PDM_IGNORE_SAVED_PYTHON|$PDM_USE_VENV|$PDM_VENV_IN_PROJECT|$HATCH_ENV|\
$UV_PROJECT_ENVIRONMENT|$PYENV_ROOT|$PYENV_VERSION|$ASDF_PYTHON_VERSION|\
$DIRENV_DIR|$PATH" = "$__alight_session" $__alight_expected
    and read -l mark <$__alight_news
    and test "$mark" = "$__alight_mark"
end

# Every prompt comes through here, and nearly every one leaves at the first `return`: it asks what __alight_is_same
# asks, without the cost of a call.
function __alight_on_prompt --on-event fish_prompt
    set -l code $status
    if test "$__alight_dirty$__alight_drawn$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|\
$WORKON_HOME|$PIPENV_PIPFILE|$PIPENV_VENV_IN_PROJECT|$PIPENV_CUSTOM_VENV_NAME|$PIPENV_PYTHON|$POETRY_VIRTUALENVS_PATH|\
$POETRY_VIRTUALENVS_IN_PROJECT|$PDM_PYTHON|$PDM_IGNORE_SAVED_PYTHON|$PDM_USE_VENV|$PDM_VENV_IN_PROJECT|$HATCH_ENV|\
$UV_PROJECT_ENVIRONMENT|$PYENV_ROOT|$PYENV_VERSION|$ASDF_PYTHON_VERSION|\
$DIRENV_DIR|$PATH" = "$__alight_session" $__alight_expected
        and read -l mark <$__alight_news
        and test "$mark" = "$__alight_mark"
        set -g __alight_drawn $__alight_undrawn
        return
    end
    test "$__alight_switch" = off -o "$ALIGHT_DISABLE" = 1; and return
    status is-command-substitution; and return
    set -l drawn $__alight_drawn
    set -g __alight_drawn 1
    test "$PWD" = "$__alight_here"; and __alight_is_same; or __alight_settle $code
    if test "$drawn$__alight_drawn" != 11 -a "$__alight_wants_segment" = 1
        __alight_wrap_prompt
    end
    set -g __alight_drawn $__alight_undrawn
end

# Something is not as it was at the last prompt.
function __alight_settle --argument-names code
    set -l forced $__alight_dirty
    set -g __alight_dirty 1
    if set -q __alight_unfinished
        set forced 1
        # Ctrl-C has left it half done. Whoever ends a script of the environment does not want it now.
        test $__alight_unfinished = script; and __alight_decline
        __alight_leave
        set -g __alight_owner ''
    end
    # Nothing of conda's and nothing on PATH alone: VIRTUAL_ENV tells.
    if test -n "$__alight_applied"
        and not test -z "$__alight_conda$__alight_entry" -a -n "$VIRTUAL_ENV" -a -e "$__alight_sign"
        if not test -e $__alight_sign
            __alight_leave
            set -g __alight_owner ''
            __alight_show none '' '' '' ''
        else if __alight_is_off
            # With a function that is not ours: that is as clear a word.
            __alight_leave
            set -g __alight_owner ''
            __alight_decline
        end
    end
    if test $__alight_open_until = 0; or __alight_may_ask
        __alight_ask $code $forced
    else
        __alight_alone
    end
end

function __alight_decline
    set -g __alight_declined $__alight_root
    test -n "$__alight_declined"; or set -g __alight_declined -
end

# A line that may make an environment is told to the daemon before it runs: what is absent now and there later was
# made by the user.
function __alight_on_preexec --on-event fish_preexec
    string match --quiet --regex 'fish_prompt|fish_config|funced|venv|virtualenv|uv|poetry|pipenv|pdm|hatch|pixi|conda' -- "$argv[1]"
    and test "$__alight_switch" = on -a "$ALIGHT_DISABLE" != 1
    or return
    if string match --quiet --regex 'fish_prompt|fish_config|funced' -- "$argv[1]"
        set -g __alight_drawn 0
    else
        __alight_note "$argv[1]"
    end
end

function __alight_note --argument-names line
    set -q fish_private_mode; and return
    test (string length -- $line) -le 8000; or return
    # A first word that needs expansion is not a file's name that we know.
    set -l word (string match --regex '\A\s*([\w./+@:,%-]+)(?=\s|\z)' -- $line)[2]
    test -n "$word"; or return
    builtin functions --query $word; and return
    builtin contains -- $word (builtin --names); and return
    command --query $word; or return
    __alight_may_ask; or return
    __alight_exchange note fish $fish_pid "$PWD" file $line
    switch $__alight_code
        case 4
            __alight_open_breaker 30
        case 5
            __alight_open_breaker 60
    end
    set -g __alight_dirty 1
end

# --- what the user calls --------------------------------------------------------------------------

# Takes venv's own argument too, which asks for the undo alone.
function __alight_deactivate
    __alight_leave
    set -g __alight_owner ''
    set -g __alight_dirty 1
    test "$argv[1]" = nondestructive; or __alight_decline
end

function alight --description 'The right Python environment for this directory'
    switch "$argv[1]"
        case on off pause
            if set -q argv[2]
                builtin printf 'alight: %s takes no arguments\n' $argv[1] >&2
                return 2
            end
    end
    switch "$argv[1]"
        case on
            set -g __alight_switch on
            set -g __alight_declined ''
            set -g __alight_dirty 1
            set -g __alight_drawn 0
            __alight_close_breaker
        case off
            test -z "$__alight_applied"; or __alight_leave
            set -g __alight_switch off
            set -g __alight_dirty 1
            set -g __alight_owner ''
            set -g __alight_declined ''
            __alight_show none '' '' '' ''
        case pause
            set -g __alight_switch paused
            __alight_decline
        case status doctor
            command $__alight_command $argv[1] --shell-owner "$__alight_owner" --shell-switch $__alight_switch \
                --shell-declined "$__alight_declined" $argv[2..-1]
        case allow deny trust daemon
            command $__alight_command $argv
            set -l code $status
            set -g __alight_dirty 1
            __alight_close_breaker
            return $code
        case check
            __alight_check $argv
        case '*'
            command $__alight_command $argv
    end
end

# --- start ----------------------------------------------------------------------------------------

function __alight_load
    for name in __alight_python __alight_client __alight_command __alight_daemon_python
        set -qg $name; or set -g $name ''
    end
    if test -z "$__alight_client"; and set -l real (builtin realpath -- (status filename) 2>/dev/null)
        # Sourced as a file: the guard and the client lie beside it, in the package or in the checkout.
        set -l above (string replace --regex '/[^/]*/[^/]*\z' '' -- "$real" | string collect)
        set -g __alight_beside (string replace --regex '[^/]*\z' guard.fish -- "$real" | string collect)
        for candidate in $above/query.py $above/daemon/alight/query.py
            if test -r $candidate
                set -g __alight_client $candidate
                break
            end
        end
    end
    if test -z "$__alight_command"
        set -g __alight_command (command --search alight)
    end
    if test -z "$__alight_python" -a -f "$__alight_command" -a -r "$__alight_command"
        read -l line <$__alight_command
        set -l found (string match --regex '\A#!(/\S*python\S*)' -- "$line")
        set -q found[2]; and set -g __alight_python $found[2]
    end
    test -n "$__alight_daemon_python"; or set -g __alight_daemon_python $__alight_python
    test -n "$__alight_command"; or set -g __alight_command alight
    if test -x "$__alight_client"; and not string match --quiet '*.py' -- $__alight_client
        set -g __alight_call $__alight_client
    else
        set -g __alight_call $__alight_python -I -S $__alight_client
    end

    set -g __alight_runtime "$ALIGHT_RUNTIME_DIR"
    if test -z "$__alight_runtime"
        set -l session /run/user/$__alight_euid
        # There is no /proc where this names a folder of the user's own.
        if test ! -d /proc/self -a -x /usr/bin/getconf; and set -l own (command /usr/bin/getconf DARWIN_USER_TEMP_DIR 2>/dev/null)
            set -g __alight_runtime (builtin realpath -- $own)/alight
        else if test -d $session -a -O $session
            set -g __alight_runtime $session/alight
        else
            set -g __alight_runtime /tmp/alight-$__alight_euid
        end
    end

    set -eg __alight_runtime_pattern
    set -g __alight_dirty 1
    # Sourced a second time: functions and settings are new, what is applied stays known.
    set -q __alight_switch; and return
    set -g __alight_switch on
    set -g __alight_first 1
    set -g __alight_owner ''
    set -g __alight_declined ''
    set -g __alight_root ''
    set -g __alight_session ''
    set -g __alight_here ''
    set -g __alight_expected
    set -g __alight_generation ''
    set -g __alight_mark ''
    set -g __alight_witnesses
    set -g __alight_memory
    set -g __alight_shown ''
    set -g __alight_wants_segment 0
    set -g __alight_drawn 0
    set -g __alight_undrawn 1
    set -g __alight_news /dev/null
    set -g __alight_layer 0
    set -g __alight_said
    set -g __alight_ours
    set -g __alight_stamp ''
    set -g __alight_approved ''
    set -g __alight_entered_at 0
    set -g __alight_clock 0
    set -g __alight_spawned_from 0
    set -g __alight_spawned_until 0
    __alight_close_breaker
    __alight_forget
    # A parent's display says nothing about this shell.
    __alight_show none '' '' '' ''
end

__alight_load
builtin functions --erase __alight_load
if set -qg __alight_beside
    test ! -r $__alight_beside; or builtin source $__alight_beside
    set -eg __alight_beside
end
