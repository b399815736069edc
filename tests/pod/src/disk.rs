//! Volumes that are small, fill up and fail, where a test can mount them.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// A file system of its own, until dropped. Where it cannot be created, constructors print the reason and return
/// `None`: mounting takes root, loop devices and more that not every machine has.
#[derive(Debug)]
pub struct Disk {
    at: PathBuf,
    /// Holds the image of an ext4.
    below: TempDir,
    /// Whether `below` is a mount, too.
    thin: bool,
}

impl Disk {
    /// A tmpfs of `size` MiB.
    pub fn tmpfs(at: &Path, size: u64) -> Option<Self> {
        let disk = Self { at: at.to_owned(), below: tempfile::tempdir().unwrap(), thin: false };
        mount_tmpfs(at, size)?;
        Some(disk)
    }

    /// An ext4 of `size` MiB on a loop device.
    pub fn ext4(at: &Path, size: u64) -> Option<Self> {
        let disk = Self { at: at.to_owned(), below: tempfile::tempdir().unwrap(), thin: false };
        disk.format(size)?;
        Some(disk)
    }

    /// An ext4 of 64 MiB on a device that has 48 MiB only, as thinly provisioned volumes are.
    pub fn thin(at: &Path) -> Option<Self> {
        let below = tempfile::tempdir().unwrap();
        mount_tmpfs(below.path(), 48)?;
        let disk = Self { at: at.to_owned(), below, thin: true };
        disk.format(64)?;
        // Once through the journal and the tables of inodes, so that later only the octets of files fail.
        for number in 0..600 {
            let mut file = File::create(disk.at.join((number % 40).to_string())).unwrap();
            file.write_all(&[1; 1000]).unwrap();
            file.sync_all().unwrap();
        }
        for number in 0..40 {
            fs::remove_file(disk.at.join(number.to_string())).unwrap();
        }
        Some(disk)
    }

    /// The file system of a [`Disk::ext4`] as it would be found after a power cut now: with everything that the device
    /// has been given, and nothing that still waits in memory.
    #[must_use]
    pub fn after_crash(&self) -> Self {
        let below = tempfile::tempdir().unwrap();
        let crashed = Self { at: below.path().join("crashed"), below, thin: false };
        fs::create_dir(&crashed.at).unwrap();
        fs::copy(self.image(), crashed.image()).unwrap();
        crashed.mount().unwrap();
        crashed
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.at.join(name)
    }

    /// Leaves no block to the device below a [`Disk::thin`]. From now on writes fail when they are synced.
    pub fn exhaust(&self) {
        assert!(self.thin);
        let mut ballast = File::create(self.below.path().join("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    /// The device has blocks again.
    pub fn replenish(&self) {
        fs::remove_file(self.below.path().join("ballast")).unwrap();
    }

    /// From now on every write to the device below an ext4 fails with EIO. `None`, with the reason printed, where that
    /// is not possible.
    pub fn break_down(&self) -> Option<()> {
        run("chattr", &["+i".as_ref(), &self.image()])
    }

    /// The device works again, and the file system is mounted anew.
    pub fn repair(&self) {
        run("chattr", &["-i".as_ref(), &self.image()]).unwrap();
        // Sessions may still hold it.
        run("umount", &["-l".as_ref(), &self.at]).unwrap();
        self.mount().unwrap();
    }

    fn image(&self) -> PathBuf {
        self.below.path().join("image")
    }

    fn format(&self, size: u64) -> Option<()> {
        let image = self.image();
        File::create(&image).unwrap().set_len(size * MIB).unwrap();
        let options = "-q -F -b 1024 -J size=1 -N 256 -m 0 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0";
        let arguments: Vec<&Path> = options.split(' ').map(Path::new).chain([image.as_path()]).collect();
        run("mkfs.ext4", &arguments)?;
        self.mount()
    }

    fn mount(&self) -> Option<()> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), &self.image(), &self.at])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(self.image()).output();
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
        if self.thin {
            let _ = Command::new("umount").arg("-l").arg(self.below.path()).output();
        }
    }
}

fn mount_tmpfs(at: &Path, size: u64) -> Option<()> {
    let options = format!("size={size}m");
    run("mount", &["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), options.as_ref(), "none".as_ref(), at])
}

#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn run(program: &str, arguments: &[&Path]) -> Option<()> {
    let reason = match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => return Some(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("skipped, since {program} fails here: {}", reason.trim());
    None
}
