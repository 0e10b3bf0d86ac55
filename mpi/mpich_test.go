//go:build mpich

package mpi_test

var (
	launchers     = []string{"mpirun.mpich", "mpiexec.hydra", "mpirun"}
	launcherFlags []string
	wrongLauncher = []string{"mpirun.openmpi", "--oversubscribe", "--allow-run-as-root"}
)

const (
	library   = "MPICH"
	buildTags = "mpich"
)
