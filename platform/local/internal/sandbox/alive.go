package sandbox

import (
	"os"
	"strconv"
	"strings"
)

// pfExiting is the kernel's flag (PF_EXITING) of a process that is on its way out.
const pfExiting = 0x4

// Alive reports whether a process exists and is not ending. One that ends closes
// its connections first, and on a busy machine it is a while from there until it can
// be waited for.
func Alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	// The name in parentheses may hold anything; state and five numbers later
	// come the flags (proc_pid_stat(5)).
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 7 {
		return true
	}
	flags, _ := strconv.ParseUint(fields[6], 10, 64)
	return fields[0] != "Z" && fields[0] != "X" && flags&pfExiting == 0
}
