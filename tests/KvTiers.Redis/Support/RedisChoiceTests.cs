namespace KvTiers.Redis.Tests.Support;

public sealed class RedisChoiceTests
{
    [Theory]
    [InlineData(null, true, true, RedisKind.Local)]
    [InlineData(null, true, false, RedisKind.Local)]
    [InlineData(null, false, true, RedisKind.Container)]
    [InlineData(null, false, false, RedisKind.None)]
    [InlineData("", true, true, RedisKind.Local)]
    [InlineData(" ", false, true, RedisKind.Container)]
    [InlineData("local", true, true, RedisKind.Local)]
    [InlineData("local", true, false, RedisKind.Local)]
    [InlineData("container", true, true, RedisKind.Container)]
    [InlineData("container", false, true, RedisKind.Container)]
    [InlineData("skip", true, true, RedisKind.None)]
    [InlineData("skip", true, false, RedisKind.None)]
    [InlineData("skip", false, true, RedisKind.None)]
    [InlineData("skip", false, false, RedisKind.None)]
    public void TheSettingDecidesAndWithoutOneTheNearest(string? setting, bool onPath, bool dockerAnswers, RedisKind kind)
    {
        RedisChoice choice = RedisChoice.Of(setting, () => onPath, () => dockerAnswers);
        Assert.Equal(kind, choice.Kind);
        Assert.NotEmpty(choice.Reason);
    }

    [Theory]
    [InlineData("local", false, true, "KVTIERS_TEST_REDIS is 'local', but redis-server is not on the path.")]
    [InlineData("local", false, false, "KVTIERS_TEST_REDIS is 'local', but redis-server is not on the path.")]
    [InlineData("container", true, false, "KVTIERS_TEST_REDIS is 'container', but no Docker engine answers here.")]
    [InlineData("container", false, false, "KVTIERS_TEST_REDIS is 'container', but no Docker engine answers here.")]
    [InlineData("Local", true, true, "KVTIERS_TEST_REDIS is 'Local'; it must be local, container or skip, or not set.")]
    public void WhatWasAskedForAndCannotBeHadIsAnErrorNotASkip(string setting, bool onPath, bool dockerAnswers, string says) =>
        Assert.Equal(says, Assert.Throws<InvalidOperationException>(() => RedisChoice.Of(setting, () => onPath, () => dockerAnswers)).Message);

    [Theory]
    [InlineData(null, true)]
    [InlineData("local", true)]
    [InlineData("skip", false)]
    public void DockerIsAskedOnlyWhereItMatters(string? setting, bool onPath) =>
        RedisChoice.Of(setting, () => onPath, () => throw new InvalidOperationException("asked"));

    /// <summary>By the real question: where no engine answers, the explicit choice is refused; where one does, it is taken.</summary>
    [Fact]
    public void TheContainerIsHadWhereAnEngineAnswersAndRefusedElsewhere()
    {
        if (ContainerRedis.DockerAnswers())
            Assert.Equal(RedisKind.Container, RedisChoice.Of("container", () => false, ContainerRedis.DockerAnswers).Kind);
        else
            Assert.Throws<InvalidOperationException>(() => RedisChoice.Of("container", () => true, ContainerRedis.DockerAnswers));
    }
}
