package workflow

// Lists returns the lists of tasks nested directly in t, in order of the
// document. Each branch of a fork is a list of its own.
func (t *Task) Lists() [][]Task {
	var lists [][]Task
	add := func(l []Task) {
		if len(l) > 0 {
			lists = append(lists, l)
		}
	}
	add(t.Do)
	if t.Fork != nil {
		for i := range t.Fork.Branches {
			add(t.Fork.Branches[i : i+1 : i+1])
		}
	}
	if t.For != nil {
		add(t.For.Do)
	}
	if t.Try != nil {
		add(t.Try.Do)
		add(t.Try.Catch.Do)
	}
	return lists
}

// Tasks calls visit for every task of w, each before the tasks nested in it,
// until visit returns false. Its signature is that of an iterator.
func (w *Workflow) Tasks(visit func(*Task) bool) {
	walk(w.Do, visit)
}

func walk(tasks []Task, visit func(*Task) bool) bool {
	for i := range tasks {
		if !visit(&tasks[i]) {
			return false
		}
		for _, l := range tasks[i].Lists() {
			if !walk(l, visit) {
				return false
			}
		}
	}
	return true
}

// Functions returns the names of the functions that w calls, each once, in
// order of the document.
func (w *Workflow) Functions() []string {
	var names []string
	seen := map[string]bool{}
	for t := range w.Tasks {
		if t.Call != nil && t.Call.Function != "" && !seen[t.Call.Function] {
			seen[t.Call.Function] = true
			names = append(names, t.Call.Function)
		}
	}
	return names
}
