package proc

// Usage is what a process has used since its start.
type Usage struct {
	Memory
	CPU  CPUTime
	Read float64 // bytes read from files and sockets
}

// ReadUsage returns the usage of a process.
func ReadUsage(pid int) (u Usage, err error) {
	if u.CPU, err = ReadCPU(pid); err != nil {
		return u, err
	}
	if u.Memory, err = ReadMemory(pid); err != nil {
		return u, err
	}
	u.Read, err = ReadBytes(pid)
	return u, err
}
