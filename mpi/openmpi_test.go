//go:build !mpich

package mpi_test

var (
	launchers     = []string{"mpirun.openmpi", "mpirun"}
	launcherFlags = []string{"--oversubscribe", "--allow-run-as-root"}
	wrongLauncher = []string{"mpirun.mpich"}
)

const (
	library   = "Open MPI"
	buildTags = ""
)
