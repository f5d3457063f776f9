# The server (target silo) and the command line (target client). docker-compose.yml runs both.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TARGETARCH=amd64
WORKDIR /source
COPY Directory.Build.props Directory.Packages.props global.json ./
COPY src src
COPY silo silo
COPY client client
# The server brings its runtime, and all of it is compiled as one: it starts in two thirds of the time.
RUN dotnet publish silo -c Release -r linux-$(echo $TARGETARCH | sed s/amd64/x64/) --self-contained -o /out/silo --nologo \
 && dotnet publish client -c Release -o /out/client --nologo

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0 AS silo
WORKDIR /app
# A volume takes the owner of the folder it is mounted over.
RUN mkdir /data && chown $APP_UID:$APP_UID /data
COPY --from=build /out/silo ./
COPY models/demo models/demo
USER $APP_UID
EXPOSE 5080
VOLUME /data
ENTRYPOINT ["/app/kvtiers-silo"]

FROM mcr.microsoft.com/dotnet/runtime:10.0 AS client
WORKDIR /app
COPY --from=build /out/client ./
USER $APP_UID
ENTRYPOINT ["dotnet", "/app/kvtiers-cli.dll"]
