namespace KvTiers.Orleans.Clustering;

/// <summary>The membership of a silo that is alone: a table in this process, with the etags and versions that the contract asks for.</summary>
internal sealed class LoneMembership : IMembershipTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SiloAddress, (MembershipEntry Entry, string ETag)> _rows = [];
    private TableVersion _version = new(0, "0");

    public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

    public Task DeleteMembershipTableEntries(string clusterId)
    {
        lock (_lock)
            _rows.Clear();
        return Task.CompletedTask;
    }

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Task.CompletedTask;

    public Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        lock (_lock)
            return Task.FromResult(new MembershipTableData([.. _rows.Where(row => row.Key.Equals(key)).Select(Copy)], _version));
    }

    public Task<MembershipTableData> ReadAll()
    {
        lock (_lock)
            return Task.FromResult(new MembershipTableData([.. _rows.Select(Copy)], _version));
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion)
    {
        lock (_lock)
        {
            if (tableVersion.Version != _version.Version + 1 || _rows.ContainsKey(entry.SiloAddress))
                return Task.FromResult(false);
            Put(entry, tableVersion);
            return Task.FromResult(true);
        }
    }

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion)
    {
        lock (_lock)
        {
            if (tableVersion.Version != _version.Version + 1 || !_rows.TryGetValue(entry.SiloAddress, out var row) || row.ETag != etag)
                return Task.FromResult(false);
            Put(entry, tableVersion);
            return Task.FromResult(true);
        }
    }

    public Task UpdateIAmAlive(MembershipEntry entry)
    {
        lock (_lock)
        {
            if (_rows.TryGetValue(entry.SiloAddress, out var row))
                row.Entry.IAmAliveTime = entry.IAmAliveTime;
        }

        return Task.CompletedTask;
    }

    private static Tuple<MembershipEntry, string> Copy(KeyValuePair<SiloAddress, (MembershipEntry Entry, string ETag)> row) => new(CopyOf(row.Value.Entry), row.Value.ETag);

    // Readers change what they are given.
    private static MembershipEntry CopyOf(MembershipEntry entry) => new()
    {
        SiloAddress = entry.SiloAddress,
        Status = entry.Status,
        SuspectTimes = entry.SuspectTimes is { } suspects ? [.. suspects] : null!,
        ProxyPort = entry.ProxyPort,
        HostName = entry.HostName,
        SiloName = entry.SiloName,
        RoleName = entry.RoleName,
        UpdateZone = entry.UpdateZone,
        FaultZone = entry.FaultZone,
        StartTime = entry.StartTime,
        IAmAliveTime = entry.IAmAliveTime,
    };

    private void Put(MembershipEntry entry, TableVersion version)
    {
        string etag = version.Version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        _version = new(version.Version, etag);
        _rows[entry.SiloAddress] = (CopyOf(entry), etag);
    }
}
