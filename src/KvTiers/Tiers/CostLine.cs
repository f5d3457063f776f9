namespace KvTiers.Tiers;

/// <summary>What something takes by its size: a fixed time and a time per unit, fitted to what was measured.</summary>
/// <remarks>
/// A line through measurements of whatever sizes: seconds = fixed + size × seconds per unit. Each moves the line towards itself, by as much as the line is
/// unsure there (a Kalman filter of two states). So what was measured is predicted, and a small size says little of a large one. A change shows after a
/// few measurements. Each of the first ones, of code that is just being compiled and files that were never read, replaces what was thought before.
/// Not thread-safe.
/// </remarks>
/// <param name="fixedSeconds">The guess to start from.</param>
/// <param name="secondsPerUnit">The guess to start from.</param>
/// <param name="unitsShare">How much of what a first measurement is off may be the units', where 1 is as much as the fixed time's.</param>
internal sealed class CostLine(double fixedSeconds, double secondsPerUnit, double unitsShare = 1)
{
    // Relative to what is measured: how much it differs from the next one by chance, and how much the truth changes from one to the next. Either number
    // changes by its own size as a rule, and a little by what is measured, so that none stays at 0 for ever.
    private const double Noise = 0.2;
    private const double LeastNoise = 0.01;
    private const double Drift = 0.12;
    private const double LeastDrift = 0.1;

    private const int FirstMeasurements = 3;

    // One measurement that was held up by something else does not spoil the line for long.
    private const double MostAtOnce = 8;

    // Anything may hold a measurement up, but nothing makes it fast by chance: below this share of what was expected it is believed. As far above, the truth
    // may have changed by as much.
    private const double SureBelow = 0.5;

    private const double LeastSecondsPerUnit = 1e-13;

    private int _count;

    // What the line is unsure of: variances of its two numbers, and how they go together.
    private double _fixedVariance;
    private double _perUnitVariance;
    private double _covariance;

    /// <summary>Seconds whatever the size.</summary>
    public double FixedSeconds { get; private set; } = fixedSeconds;

    /// <summary>Seconds that each unit adds.</summary>
    public double SecondsPerUnit { get; private set; } = secondsPerUnit;

    /// <summary>Seconds expected for so many units.</summary>
    public double SecondsFor(double units) => FixedSeconds + (units * SecondsPerUnit);

    /// <summary>So many units took so long.</summary>
    public void Add(double units, double measured)
    {
        double expected = SecondsFor(units);
        bool isFirst = _count == 0, isEarly = _count < FirstMeasurements;
        bool isSure = isEarly || measured < SureBelow * expected, hasChanged = isSure || measured * SureBelow > expected;
        _count += isEarly ? 1 : 0;
        double seconds = isEarly ? measured : Math.Min(measured, MostAtOnce * expected);
        double scale = Math.Max(Math.Max(seconds, expected), 1e-9), noise = (isFirst ? 0 : isSure ? LeastNoise : Noise) * scale;
        double least = hasChanged ? scale : LeastDrift * scale;
        double fixedDrift = isFirst ? scale : Drift * Math.Clamp(FixedSeconds, least, scale);
        double perUnitDrift = isFirst ? unitsShare * scale / units : Drift * Math.Clamp(SecondsPerUnit, least / units, scale / units);
        _fixedVariance += fixedDrift * fixedDrift;
        _perUnitVariance += perUnitDrift * perUnitDrift;
        double alongFixed = _fixedVariance + (units * _covariance), alongUnits = _covariance + (units * _perUnitVariance);
        double total = Math.Max(0, alongFixed + (units * alongUnits)) + (noise * noise);
        Move(units, alongFixed / total * (seconds - expected), alongUnits / total * (seconds - expected));
        _fixedVariance -= alongFixed * alongFixed / total;
        _covariance -= alongFixed * alongUnits / total;
        _perUnitVariance -= alongUnits * alongUnits / total;
        Bound(Math.Max(seconds, 1e-9));
    }

    // Neither number is ever negative; then the other takes all.
    private void Move(double units, double fixedBy, double perUnitBy)
    {
        double there = SecondsFor(units) + fixedBy + (units * perUnitBy);
        FixedSeconds = Math.Max(0, FixedSeconds + fixedBy);
        SecondsPerUnit = Math.Max(LeastSecondsPerUnit, (there - FixedSeconds) / units);
        FixedSeconds = Math.Max(0, there - (units * SecondsPerUnit));
    }

    // Measurements of one size alone leave the line ever less sure of other sizes. It stays surer than of nothing.
    private void Bound(double scale)
    {
        double most = scale * scale;
        if (_fixedVariance <= most)
            return;
        double share = most / _fixedVariance;
        _fixedVariance *= share;
        _covariance *= share;
        _perUnitVariance *= share;
    }
}
